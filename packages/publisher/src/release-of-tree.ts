import { instrumentationVersion } from "@midflight/planner";
import type { Provenance, Release } from "@midflight/protocol";
import type { ChannelView, NumberedRelease, ReleaseContent } from "./channel-view.ts";
import type { CollectedTree } from "./collect.ts";
import type { ReleaseShape } from "./release-shapes.ts";

/** What is to be signed of a tree. */
export function createRelease(app: string, number: number, tree: CollectedTree, provenance: Provenance): Release {
  return { app, number, ...contentOf(tree), units: tree.shape.units.size, provenance };
}

/** The shape of a release that was just made of a tree. */
export function shapeOf(release: Release, tree: CollectedTree): ReleaseShape {
  return { release, files: tree.files, directories: new Set(tree.directories.keys()), shape: tree.shape };
}

/** A release of the very same tree: the live one if it is that, else the newest. */
export function findReleaseOf(tree: CollectedTree, { live, holding }: ChannelView): NumberedRelease | null {
  const same = holding(contentOf(tree));
  return same.find(({ id }) => id === live?.release) ?? same.at(-1) ?? null;
}

function contentOf(tree: CollectedTree): ReleaseContent {
  const { dependencies } = tree;
  return { tree: tree.root, lock: tree.lock, ...(dependencies !== null && { dependencies: dependencies.digest }), instrumentation: instrumentationVersion };
}

import { readFileSync } from "node:fs";
import path from "node:path";
import { MidflightError, type Digest, type Registry, type ReleaseId } from "@midflight/protocol";
import { verifyRelease, type TrustRoot } from "@midflight/trust";
import { decodeDependencies, encodeDependencies, noDependencies, type DependencyRecord } from "./dependencies.ts";
import { directoriesOf, manifestName, type ReleaseManifest } from "./materialise.ts";
import { openDependencies } from "./read-dependencies.ts";
import { readBlobs } from "./read-tree.ts";

/** The packages that a release was made with, or that are installed. */
export interface Packages {
  /** Names them all; null if nothing says what they are. */
  readonly key: Digest | null;
  readonly record: DependencyRecord;
}

/** @throws MidflightError `RELEASE_UNKNOWN` */
export async function readPackages(registry: Registry, releaseId: ReleaseId, root: TrustRoot): Promise<Packages> {
  const entry = await registry.entry(releaseId);
  if (entry?.kind !== "release") throw new MidflightError("RELEASE_UNKNOWN", `There is no release ${releaseId}.`);
  const { dependencies: blob } = verifyRelease(entry.envelope, root).release;
  if (blob === null || blob === undefined) return { key: null, record: noDependencies };
  const record = decodeDependencies((await readBlobs(registry, [blob])).get(blob)!);
  return { key: keyOf(record), record };
}

/** What is installed in a project now, as a release of it would name it; cheap while nothing changes. */
export function openInstalled(projectDir: string): () => Packages {
  const read = openDependencies(projectDir);
  return () => {
    const { dependencies: record } = read(new Map());
    return record === null ? { key: null, record: noDependencies } : { key: keyOf(record), record };
  };
}

/** Folders of the release that lies in a directory; parents first. */
export function foldersOf(directory: string): readonly string[] {
  const { files } = JSON.parse(readFileSync(path.join(directory, manifestName), "utf8")) as ReleaseManifest;
  return directoriesOf(new Map(Object.entries(files)));
}

/** Where the app's own packages lie is not among it. */
function keyOf({ dependencies }: DependencyRecord): Digest | null {
  if (dependencies.locked === null && dependencies.installed === null) return null;
  return encodeDependencies({ dependencies, links: new Map() }).digest;
}

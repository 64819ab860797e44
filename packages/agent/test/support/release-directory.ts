import { mkdirSync, writeFileSync } from "node:fs";
import path from "node:path";
import { buildTree, type Blob, type FileEntry, type Release } from "@midflight/protocol";
import { sha256 } from "@midflight/trust";
import { manifestName } from "../../src/boot.ts";
import type { Published, World } from "./world.ts";

export interface PlainFile {
  /** As it lies on disk: the artifact of a unit, or an asset. */
  readonly text: string;
  readonly kind?: "unit" | "asset" | "inert";
  readonly format?: "esm" | "cjs";
  /** Text before instrumentation; default: the same. */
  readonly source?: string;
}

/** Writes a release directory by hand, as a publisher would. */
export function writeReleaseDirectory(world: World, directory: string, files: Readonly<Record<string, PlainFile>>, change: Partial<Release> = {}): { readonly published: Published; readonly directories: readonly Blob[] } {
  const entries = new Map<string, FileEntry>();
  for (const [name, { text, kind = "unit", format = "esm", source = text }] of Object.entries(files)) {
    const file = path.join(directory, name);
    mkdirSync(path.dirname(file), { recursive: true });
    writeFileSync(file, text);
    const bytes = Buffer.byteLength(text);
    entries.set(name, kind === "unit" ? { kind, format, source: sha256(source), artifact: sha256(text), bytes } : { kind: "asset", digest: sha256(text), bytes, inert: kind === "inert" });
  }
  const tree = buildTree(entries, sha256);
  const published = world.release({ tree: tree.root, ...change });
  writeFileSync(path.join(directory, manifestName), JSON.stringify({ envelope: published.entry.envelope, files: Object.fromEntries(entries) }));
  return { published, directories: [...tree.blobs].map(([digest, bytes]) => ({ digest, bytes })) };
}

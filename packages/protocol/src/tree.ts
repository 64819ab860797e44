import { isDigest, type Digest, type Hash } from "./digest.ts";
import { asCount, asOneOf, asRecord, asString, invalid } from "./json.ts";

/**
 * A unit of code: `source` is its JavaScript text before instrumentation (types already stripped),
 * `artifact` the text as processes load it. `artifact` equals `source` where the unit could not be instrumented;
 * such a unit runs, but a change of it always needs a new process.
 */
export interface UnitEntry {
  readonly kind: "unit";
  readonly format: "esm" | "cjs";
  readonly source: Digest;
  readonly artifact: Digest;
  /** Size of the artifact. */
  readonly bytes: number;
}

/** Any other file. `inert` files (type declarations, source maps) never run: a change of one needs nothing. */
export interface AssetEntry {
  readonly kind: "asset";
  readonly digest: Digest;
  readonly bytes: number;
  readonly inert: boolean;
}

export type FileEntry = UnitEntry | AssetEntry;

/** One directory of the Merkle tree; its encoding is a blob. */
export interface Directory {
  readonly entries: Readonly<Record<string, FileEntry | { readonly kind: "dir"; readonly digest: Digest }>>;
}

/** Path from the app's root with `/`, for every file. Sorted by path. */
export type FlatTree = ReadonlyMap<string, FileEntry>;

export const maxPathLength = 1024;

/** A path that stays inside the app: relative, no `..`, no empty part, no backslash, no NUL. */
export function isSafePath(path: string): boolean {
  if (path.length === 0 || path.length > maxPathLength || /[\\\0]/.test(path)) return false;
  return path.split("/").every((part) => part !== "" && part !== "." && part !== "..");
}

const encoder = new TextEncoder();

/** Canonical bytes of a directory: entries sorted by name, fixed key order, no white space. */
export function encodeDirectory(directory: Directory): Uint8Array {
  const names = Object.keys(directory.entries).sort();
  const parts = names.map((name) => `${JSON.stringify(name)}:${encodeEntry(directory.entries[name]!)}`);
  return encoder.encode(`{"entries":{${parts.join(",")}}}`);
}

function encodeEntry(entry: Directory["entries"][string]): string {
  switch (entry.kind) {
    case "dir":
      return JSON.stringify({ kind: "dir", digest: entry.digest });
    case "unit":
      return JSON.stringify({ kind: "unit", format: entry.format, source: entry.source, artifact: entry.artifact, bytes: entry.bytes });
    case "asset":
      return JSON.stringify({ kind: "asset", digest: entry.digest, bytes: entry.bytes, inert: entry.inert });
  }
}

/** @throws MidflightError `OBJECT_INVALID` for anything but a directory with safe names. */
export function parseDirectory(text: string): Directory {
  const entries = asRecord(asRecord(JSON.parse(text), "directory")["entries"], "directory.entries");
  const out: Record<string, Directory["entries"][string]> = Object.create(null) as Record<string, never>;
  for (const [name, value] of Object.entries(entries)) {
    if (!isSafePath(name) || name.includes("/")) invalid(`directory.entries.${name.slice(0, 80)}`, "a plain file name");
    out[name] = parseEntry(value, name);
  }
  return { entries: out };
}

function parseEntry(value: unknown, name: string): Directory["entries"][string] {
  const entry = asRecord(value, name);
  const kind = asOneOf(entry["kind"], ["dir", "unit", "asset"], `${name}.kind`);
  if (kind === "dir") return { kind, digest: parseDigest(entry["digest"], name) };
  const bytes = asCount(entry["bytes"], `${name}.bytes`);
  if (kind === "asset") return { kind, digest: parseDigest(entry["digest"], name), bytes, inert: entry["inert"] === true };
  const format = asOneOf(entry["format"], ["esm", "cjs"], `${name}.format`);
  return { kind, format, source: parseDigest(entry["source"], name), artifact: parseDigest(entry["artifact"], name), bytes };
}

/** @throws MidflightError `OBJECT_INVALID` */
export function parseDigest(value: unknown, path: string): Digest {
  const text = asString(value, path, 80);
  if (!isDigest(text)) invalid(path, "a sha256 digest");
  return text;
}

/** Builds the Merkle tree of some files. `blobs` holds the encoding of each directory by its digest. */
export function buildTree(files: FlatTree, hash: Hash): { readonly root: Digest; readonly blobs: ReadonlyMap<Digest, Uint8Array> } {
  const blobs = new Map<Digest, Uint8Array>();
  type Node = Map<string, FileEntry | Node>;
  const top: Node = new Map();
  for (const [path, entry] of files) {
    if (!isSafePath(path)) invalid(path.slice(0, 80), "a path inside the app");
    const parts = path.split("/");
    let node = top;
    for (const part of parts.slice(0, -1)) {
      let next = node.get(part);
      if (!(next instanceof Map)) node.set(part, (next = new Map()));
      node = next;
    }
    node.set(parts.at(-1)!, entry);
  }
  const close = (node: Node): Digest => {
    const entries: Record<string, Directory["entries"][string]> = Object.create(null) as Record<string, never>;
    for (const [name, child] of node) entries[name] = child instanceof Map ? { kind: "dir", digest: close(child) } : child;
    const bytes = encodeDirectory({ entries });
    const digest = hash(bytes);
    blobs.set(digest, bytes);
    return digest;
  };
  return { root: close(top), blobs };
}

/** Reads a whole tree back. `read` gives the verified text of a directory blob. */
export async function walkTree(root: Digest, read: (digest: Digest) => Promise<string>): Promise<FlatTree> {
  const out: [string, FileEntry][] = [];
  const walk = async (digest: Digest, prefix: string, depth: number): Promise<void> => {
    if (depth > 64) invalid(prefix, "a tree of at most 64 levels");
    const directory = parseDirectory(await read(digest));
    for (const [name, entry] of Object.entries(directory.entries)) {
      if (entry.kind === "dir") await walk(entry.digest, `${prefix}${name}/`, depth + 1);
      else out.push([prefix + name, entry]);
    }
  };
  await walk(root, "", 0);
  return new Map(out.sort(([a], [b]) => (a < b ? -1 : 1)));
}

import type { Digest } from "@midflight/protocol";
import type { CollectedTree } from "./collect.ts";
import type { ReleaseShape } from "./release-shapes.ts";
import type { BlobBook } from "./upload.ts";

/** The blobs of a tree that the live release does not have. */
export function newBlobs(tree: CollectedTree, live: ReleaseShape | null): BlobBook {
  const blobs: BlobBook = new Map();
  for (const [path, entry] of tree.files) {
    const before = live?.files.get(path);
    if (before === entry || (before !== undefined && JSON.stringify(before) === JSON.stringify(entry))) continue;
    for (const [digest, read] of tree.blobs(path)) blobs.set(digest, read);
  }
  const { dependencies } = tree;
  if (dependencies !== null && live?.release.dependencies !== dependencies.digest) blobs.set(dependencies.digest, () => dependencies.bytes);
  for (const [digest, bytes] of tree.directories) if (live?.directories.has(digest) !== true) blobs.set(digest, () => bytes);
  return blobs;
}

/** Any blob of a tree, in case that a registry lost it. */
export function findBlob(tree: CollectedTree, digest: Digest): Uint8Array | undefined {
  for (const [path, entry] of tree.files) {
    const isIt = entry.kind === "asset" ? entry.digest === digest : entry.source === digest || entry.artifact === digest;
    if (isIt) return tree.blobs(path).get(digest)?.();
  }
  return digest === tree.dependencies?.digest ? tree.dependencies.bytes : tree.directories.get(digest);
}

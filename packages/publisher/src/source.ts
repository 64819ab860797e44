import type { Digest } from "@midflight/protocol";
import { sha256 } from "@midflight/trust";
import type { EncodedDependencies } from "./dependencies.ts";

/** One file's content as it was when its batch settled. Two batches hold the same object where nothing changed. */
export interface FileContent {
  /** SHA-256 of the bytes. */
  readonly digest: Digest;
  /** Size. */
  readonly bytes: number;
  /** The very bytes of `digest`. @throws MidflightError `BUILD_UNSETTLED` if they are gone by now, `FILE_UNREADABLE` */
  read(): Uint8Array;
}

export interface Batch {
  /** The whole tree, never a delta: path from the app's root with `/` → content. */
  readonly files: ReadonlyMap<string, FileContent>;
  /** The dependency lock file, which may lie above the app's root; null if there is none. */
  readonly lock: { readonly path: string; readonly digest: Digest } | null;
  /** The packages that the code stands on; null or left out if nothing is known of them. */
  readonly dependencies?: EncodedDependencies | null;
  /**
   * What ended the batch: the build's finished marker, a quiet window (only in development), the start of a
   * watch, or somebody who asked.
   */
  readonly reason: BatchReason;
}

export type BatchReason = "marker" | "quiet" | "start" | "manual";

/**
 * Where builds come from. A watcher, a folder that a CI job filled, an archive or your own generator stand here alike:
 * each batch is a whole tree, and a newer one makes an older one unnecessary.
 */
export type Source = AsyncIterable<Batch>;

/** Content that is in memory already, for sources that read no folder. */
export function contentOf(bytes: Uint8Array): FileContent {
  return { digest: sha256(bytes), bytes: bytes.byteLength, read: () => bytes };
}

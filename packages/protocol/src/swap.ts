import type { Digest } from "./digest.ts";
import type { TextsRead } from "./drift.ts";
import type { ErrorCode } from "./error.ts";
import type { ReleaseId } from "./release.ts";

/** Counts up by one each time a process swaps. 0 is the code the process started with. */
export type Generation = number;

/**
 * What became of one assign in one process. Every case is expected: the caller must handle all of them,
 * and the compiler sees to it.
 */
export type SwapOutcome =
  /**
   * The release is live, proved by reading it back. `pauseMs`: the longest the event loop was blocked, fetch to read-back.
   * `texts`: what the running functions say that their texts are; absent if a newer release came before they were asked.
   */
  | { readonly kind: "swapped"; readonly release: ReleaseId; readonly generation: Generation; readonly units: number; readonly bodies: number; readonly pauseMs: number; readonly live: Digest; readonly texts?: TextsRead }
  /** Nothing was changed; the process goes on with what it had. */
  | { readonly kind: "refused"; readonly release: ReleaseId; readonly code: ErrorCode; readonly reason: string; readonly unit: string | null }
  /** It was live, errors followed within the probation window, and the process went back. */
  | { readonly kind: "reverted"; readonly release: ReleaseId; readonly generation: Generation; readonly code: ErrorCode; readonly reason: string };

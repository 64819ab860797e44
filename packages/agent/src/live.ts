import type { Digest, Generation } from "@midflight/protocol";
import type { BootRelease } from "./boot.ts";
import type { Way } from "./fetch.ts";
import type { Overlay } from "./runtime/runtime.ts";

/** What a process runs: its boot release under an overlay. */
export interface Live {
  readonly overlay: Overlay;
  /** How it came to be; null for the boot shape. */
  readonly way: Way | null;
  /** What the overlay was made of, so that the cache keeps it. */
  readonly blobs: readonly Digest[];
  readonly generation: Generation;
  /** What it goes on to as soon as the app has loaded, because it could not be taken before. Default: nothing. */
  readonly next?: Live;
}

/** The code as it was loaded. */
export function bootShape(boot: BootRelease): Live {
  return { overlay: { release: boot.id, units: [], added: [] }, way: null, blobs: [], generation: 0 };
}

import type { Runtime } from "./runtime/runtime.ts";
import { wait } from "./wait.ts";

/** How many looks an app may take that loads no unit at all, as the primary of a cluster does. */
const looksWithoutUnits = 8;
const mostLooks = 120;

/**
 * Waits until the app's load has settled: a swap before that would find modules missing. Node does not tell when an entry
 * has been evaluated, so it is seen by the units that register themselves: some have, and no more came between two looks.
 */
export async function untilLoaded(runtime: Pick<Runtime, "loaded">, lookMs: number, signal: AbortSignal): Promise<void> {
  let before = -1;
  for (let look = 0; look < mostLooks && !signal.aborted; look++) {
    await wait(lookMs, signal);
    const { size } = runtime.loaded;
    if (size === before && (size > 0 || look >= looksWithoutUnits)) return;
    before = size;
  }
}

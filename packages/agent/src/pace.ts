import { setImmediate as nextTurn } from "node:timers/promises";

/** How long the agent works before it lets the app's events through. */
const sliceMs = 1;

/** Cuts long work into slices, so that no request waits for it. */
export class Pace {
  #sliceStart = performance.now();
  #longestMs = 0;

  /** Call between two pieces of work. */
  async breathe(): Promise<void> {
    const heldMs = performance.now() - this.#sliceStart;
    if (heldMs < sliceMs) return;
    this.#longestMs = Math.max(this.#longestMs, heldMs);
    await nextTurn(undefined, { ref: false });
    this.#sliceStart = performance.now();
  }

  /** Call after waiting for something else: what went by was not our work. */
  resume(): void {
    this.#sliceStart = performance.now();
  }

  /** The longest slice so far, in ms; 0 if none was longer than a slice should be. */
  get longestMs(): number {
    return this.#longestMs;
  }
}

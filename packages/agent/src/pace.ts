import { turn } from "./turn.ts";

export interface PaceOptions {
  /** How much of a turn of the event loop the agent may take before the app's events get through, in ms. Default: 0.5. */
  readonly sliceMs?: number;
}

/**
 * Cuts long work into slices, so that no request waits for it, and measures the longest. What other work of the agent
 * took of the same turn counts, too. Holds the process for one turn of its loop at most.
 */
export class Pace {
  readonly #sliceMs: number;
  #sliceStart = performance.now();
  #longestMs = 0;

  constructor({ sliceMs = 0.5 }: PaceOptions = {}) {
    this.#sliceMs = sliceMs;
  }

  /** Begins a new measurement. */
  reset(): void {
    this.#longestMs = 0;
    this.resume();
  }

  /** Call between two pieces of work. */
  async breathe(): Promise<void> {
    if (this.#end() >= this.#sliceMs) await this.yield();
  }

  /** Lets the app's events through, however short the slice was. */
  async yield(): Promise<void> {
    this.#end();
    await turn.next();
    this.resume();
  }

  /** Call after waiting for something else: what went by was not our work. */
  resume(): void {
    this.#sliceStart = performance.now();
  }

  /** Measures one piece that cannot be divided. */
  measure<T>(work: () => T): T {
    this.resume();
    try {
      return work();
    } finally {
      this.#end();
    }
  }

  /** The most that was taken of one turn so far, in ms. */
  get longestMs(): number {
    return this.#longestMs;
  }

  /** What was taken of this turn, with the work that ends now. */
  #end(): number {
    const now = performance.now();
    const usedMs = turn.take(this.#sliceStart, now);
    this.#sliceStart = now;
    this.#longestMs = Math.max(this.#longestMs, usedMs);
    return usedMs;
  }
}

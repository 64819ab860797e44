import { setImmediate as nextTurn } from "node:timers/promises";

export interface PaceOptions {
  /** How long to work before the app's events get through, in ms. Default: 1. */
  readonly sliceMs?: number;
}

/** Cuts long work into slices, so that no request waits for it, and measures the longest. Holds the process for one turn of its loop at most. */
export class Pace {
  readonly #sliceMs: number;
  #sliceStart = performance.now();
  #longestMs = 0;

  constructor({ sliceMs = 1 }: PaceOptions = {}) {
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
    await nextTurn();
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

  /** The longest slice so far, in ms. */
  get longestMs(): number {
    return this.#longestMs;
  }

  #end(): number {
    const heldMs = performance.now() - this.#sliceStart;
    this.#longestMs = Math.max(this.#longestMs, heldMs);
    return heldMs;
  }
}

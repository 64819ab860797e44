/** Work in slices: after a slice of this long the event loop gets its turn. */
const sliceMs = 0.5;

/** Measures how long the event loop is blocked by our work, and hands it back in time. */
export class Pace {
  #longestMs = 0;
  #sliceStart = performance.now();

  /** Begins a new measurement. */
  reset(): void {
    this.#longestMs = 0;
    this.#sliceStart = performance.now();
  }

  /** Call between two indivisible steps. */
  async step(): Promise<void> {
    const took = performance.now() - this.#sliceStart;
    if (took > this.#longestMs) this.#longestMs = took;
    if (took < sliceMs) return;
    await this.yield();
  }

  async yield(): Promise<void> {
    this.#end();
    await new Promise<void>((resolve) => setImmediate(resolve));
    this.#sliceStart = performance.now();
  }

  /** Measures one step that cannot be divided. */
  measure<T>(work: () => T): T {
    this.#sliceStart = performance.now();
    try {
      return work();
    } finally {
      this.#end();
    }
  }

  #end(): void {
    this.#longestMs = Math.max(this.#longestMs, performance.now() - this.#sliceStart);
  }

  get longestMs(): number {
    return this.#longestMs;
  }
}

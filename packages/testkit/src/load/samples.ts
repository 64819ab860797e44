import { Histogram } from "./histogram.ts";

/** When each request was due and how long it took, to look at one moment of a run. Times are Unix milliseconds. */
export class Samples {
  #dueMs = new Float64Array(4096);
  #latencyUs = new Float64Array(4096);
  #count = 0;

  record(dueMs: number, latencyUs: number): void {
    if (this.#count === this.#dueMs.length) {
      this.#dueMs = doubled(this.#dueMs);
      this.#latencyUs = doubled(this.#latencyUs);
    }
    this.#dueMs[this.#count] = dueMs;
    this.#latencyUs[this.#count] = latencyUs;
    this.#count += 1;
  }

  get count(): number {
    return this.#count;
  }

  /** Latencies, in microseconds, of the requests that were due from `fromMs` until before `toMs`. */
  between(fromMs: number, toMs: number): Histogram {
    const histogram = new Histogram();
    for (let i = 0; i < this.#count; i += 1) {
      const dueMs = this.#dueMs[i] ?? 0;
      if (dueMs >= fromMs && dueMs < toMs) histogram.record(this.#latencyUs[i] ?? 0);
    }
    return histogram;
  }
}

function doubled(values: Float64Array<ArrayBuffer>): Float64Array<ArrayBuffer> {
  const larger = new Float64Array(values.length * 2);
  larger.set(values);
  return larger;
}

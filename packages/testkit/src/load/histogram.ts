/** Buckets per doubling: a value is off by at most half a bucket, 1/128 of itself. */
const SUB_BUCKETS = 64;
const SUB_BUCKET_BITS = 6;
const MAX_VALUE = 2 ** 31 - 1;

/**
 * Counts durations in microseconds in logarithmic buckets: constant memory, any percentile, at most 1 % error.
 * Values past 35 minutes are counted as 35 minutes.
 */
export class Histogram {
  readonly #counts = new Map<number, number>();
  #count = 0;
  #sum = 0;
  #min = Number.POSITIVE_INFINITY;
  #max = 0;

  record(microseconds: number): void {
    const value = Math.min(Math.max(Math.round(microseconds), 0), MAX_VALUE);
    const bucket = bucketOf(value);
    this.#counts.set(bucket, (this.#counts.get(bucket) ?? 0) + 1);
    this.#count += 1;
    this.#sum += value;
    if (value < this.#min) this.#min = value;
    if (value > this.#max) this.#max = value;
  }

  add(other: Histogram): void {
    for (const [bucket, count] of other.#counts) this.#counts.set(bucket, (this.#counts.get(bucket) ?? 0) + count);
    this.#count += other.#count;
    this.#sum += other.#sum;
    this.#min = Math.min(this.#min, other.#min);
    this.#max = Math.max(this.#max, other.#max);
  }

  get count(): number {
    return this.#count;
  }

  /** Exact, in microseconds; 0 when nothing was recorded. */
  get max(): number {
    return this.#max;
  }

  /** Exact, in microseconds; 0 when nothing was recorded. */
  get min(): number {
    return this.#count === 0 ? 0 : this.#min;
  }

  get mean(): number {
    return this.#count === 0 ? 0 : this.#sum / this.#count;
  }

  /** The value, in microseconds, that `percent` of all values do not exceed; 0 when nothing was recorded. */
  percentile(percent: number): number {
    if (!(percent >= 0 && percent <= 100)) throw new RangeError(`a percentile lies between 0 and 100, not ${percent}`);
    const rank = Math.max(Math.ceil((percent / 100) * this.#count), 1);
    let seen = 0;
    for (const bucket of [...this.#counts.keys()].sort((a, b) => a - b)) {
      seen += this.#counts.get(bucket) ?? 0;
      if (seen >= rank) return Math.min(Math.max(middleOf(bucket), this.min), this.#max);
    }
    return 0;
  }
}

function bucketOf(value: number): number {
  const shift = Math.max(31 - Math.clz32(value) - SUB_BUCKET_BITS, 0);
  return shift * SUB_BUCKETS + (value >>> shift);
}

function middleOf(bucket: number): number {
  // Below two full rows a bucket holds one whole value.
  const shift = Math.max(Math.floor(bucket / SUB_BUCKETS) - 1, 0);
  const low = (bucket - shift * SUB_BUCKETS) * 2 ** shift;
  return low + (2 ** shift - 1) / 2;
}

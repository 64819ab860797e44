/**
 * Latencies in logarithmic buckets, as HdrHistogram keeps them: sixteen to a power of two, so that a value is known to 6.25 %
 * from 64 µs up to 36 minutes, in a fixed 401 counters. The first bucket holds all below, the last all above.
 */
export const latencyBuckets = 401;

const subBits = 4;
const firstPower = 6;

/** The bucket of a latency. Negative and broken values count as 0. */
export function latencyBucket(ms: number): number {
  const us = ms * 1000;
  if (!(us >= 64)) return 0;
  if (us >= 2 ** 31) return latencyBuckets - 1;
  const power = 31 - Math.clz32(us);
  return 1 + ((power - firstPower) << subBits) + ((us >>> (power - subBits)) & 15);
}

/** Where a bucket begins, in ms: the next one begins where it ends. The end of the last is Infinity. */
export function latencyBucketStart(bucket: number): number {
  if (bucket <= 0) return 0;
  if (bucket >= latencyBuckets) return Infinity;
  const power = firstPower + ((bucket - 1) >> subBits);
  return ((16 + ((bucket - 1) & 15)) * 2 ** (power - subBits)) / 1000;
}

/** Counts per bucket, as they go over the wire: bucket, count, bucket, count, …; ascending, without empty buckets. */
export type LatencyCounts = readonly number[];

export function packLatencies(counts: ArrayLike<number>): LatencyCounts {
  const packed: number[] = [];
  for (let bucket = 0; bucket < counts.length; bucket++) if (counts[bucket]! > 0) packed.push(bucket, counts[bucket]!);
  return packed;
}

/** Adds packed counts to a full array of them; `sign` −1 takes them away. */
export function addLatencies(to: number[] | Float64Array, packed: LatencyCounts, sign: 1 | -1 = 1): void {
  for (let i = 0; i + 1 < packed.length; i += 2) to[packed[i]!] = (to[packed[i]!] ?? 0) + sign * packed[i + 1]!;
}

/** The bucket of the value with this rank (1: the smallest); null if there are fewer. */
export function bucketOfRank(counts: ArrayLike<number>, rank: number): number | null {
  let seen = 0;
  for (let bucket = 0; bucket < counts.length; bucket++) {
    seen += counts[bucket]!;
    if (counts[bucket]! > 0 && seen >= rank) return bucket;
  }
  return null;
}

/** A quantile (0 < q ≤ 1) in ms, by the middle of its bucket; null if nothing was counted. */
export function latencyQuantile(counts: ArrayLike<number>, q: number): number | null {
  let total = 0;
  for (let bucket = 0; bucket < counts.length; bucket++) total += counts[bucket]!;
  const bucket = total === 0 ? null : bucketOfRank(counts, Math.max(1, Math.ceil(q * total)));
  if (bucket === null) return null;
  const start = latencyBucketStart(bucket);
  const end = latencyBucketStart(bucket + 1);
  return Number.isFinite(end) ? (start + end) / 2 : start;
}

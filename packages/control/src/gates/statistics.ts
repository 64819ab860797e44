import { bucketOfRank, latencyBucketStart } from "@midflight/protocol";
import { atLeast, atMost } from "./binomial.ts";

/**
 * How often a bound may be wrong: once in 740, as three standard errors are. A gate looks again and again while a wave bakes, and
 * each look is a new chance to be fooled.
 */
const alpha = 0.00135;

/**
 * Between which shares the true one lies, by Clopper and Pearson (1934): exact. Bounds from the normal distribution, Wilson's too, are
 * far from what they promise where few of few have failed, which is where a gate decides.
 */
export function shareBounds(failed: number, trials: number): { readonly lower: number; readonly upper: number } {
  return {
    lower: failed <= 0 ? 0 : solve((p) => atLeast(failed, trials, p) - alpha),
    upper: failed >= trials ? 1 : solve((p) => alpha - atMost(failed, trials, p)),
  };
}

export interface QuantileBounds {
  readonly samples: number;
  /** The middle of the bucket that holds it; null: nothing was counted. */
  readonly value: number | null;
  /** The true one is hardly lower: where the bucket of the lower rank begins. */
  readonly lower: number;
  /** Nor higher: where the bucket of the upper rank ends, or that of the highest there is, if they are too few to say. Infinity: nothing was counted. */
  readonly upper: number;
}

/** Between which latencies, in ms, the true quantile lies. How many are beyond it is binomial, whatever their distribution. */
export function quantileBounds(counts: readonly number[], q: number): QuantileBounds {
  const samples = counts.reduce((sum, count) => sum + count, 0);
  if (samples === 0) return { samples, value: null, lower: 0, upper: Infinity };
  const at = (rank: number): number => bucketOfRank(counts, Math.min(samples, Math.max(1, rank)))!;
  const bucket = at(Math.ceil(q * samples));
  const [start, end] = [latencyBucketStart(bucket), latencyBucketStart(bucket + 1)];
  // So many beyond it are hardly chance; nor are so few.
  const many = leastOf(samples, (k) => atLeast(k, samples, 1 - q) <= alpha);
  const few = leastOf(samples, (k) => atMost(k, samples, 1 - q) > alpha) - 1;
  return {
    samples,
    value: Number.isFinite(end) ? (start + end) / 2 : start,
    lower: many > samples ? 0 : latencyBucketStart(at(samples - many + 1)),
    upper: latencyBucketStart(at(samples - few) + 1),
  };
}

/** Where an increasing function of a probability is 0. */
function solve(f: (p: number) => number): number {
  let [low, high] = [0, 1];
  for (let round = 0; round < 50; round++) {
    const middle = (low + high) / 2;
    if (f(middle) < 0) low = middle;
    else high = middle;
  }
  return (low + high) / 2;
}

/** The smallest whole number up to `most` for which it holds, and for all above; `most` + 1 if there is none. */
function leastOf(most: number, holds: (k: number) => boolean): number {
  let [low, high] = [0, most + 1];
  while (low < high) {
    const middle = Math.floor((low + high) / 2);
    if (holds(middle)) high = middle;
    else low = middle + 1;
  }
  return low;
}

import { createRandom } from "@midflight/testkit";

/** The value that `percent` of all do not exceed, between two neighbours if need be; NaN of none. */
export function percentile(values: readonly number[], percent: number): number {
  const sorted = [...values].sort((a, b) => a - b);
  const at = ((sorted.length - 1) * percent) / 100;
  const low = sorted[Math.floor(at)] ?? Number.NaN;
  const high = sorted[Math.ceil(at)] ?? Number.NaN;
  return low + (high - low) * (at - Math.floor(at));
}

export function median(values: readonly number[]): number {
  return percentile(values, 50);
}

/** Half, the slowest twentieth and the worst, rounded to microseconds. */
export interface Spread {
  readonly p50: number;
  readonly p95: number;
  readonly max: number;
  readonly rounds: number;
}

export function spreadOf(values: readonly number[]): Spread {
  return { p50: round(median(values)), p95: round(percentile(values, 95)), max: round(percentile(values, 100)), rounds: values.length };
}

export function round(value: number, digits = 3): number {
  return Number(value.toFixed(digits));
}

/** Bounds of the median, by drawing again from what was measured: with 97.5 % certainty it is not below `low`, with 95 % not above `high`. */
export function bootstrapMedian(values: readonly number[], seed = 1, draws = 4000): { readonly low: number; readonly high: number } {
  const random = createRandom(seed);
  const medians = Array.from({ length: draws }, () => median(values.map(() => values[Math.floor(random() * values.length)] ?? Number.NaN)));
  return { low: percentile(medians, 2.5), high: percentile(medians, 95) };
}

export function shuffle<T>(items: readonly T[], random: () => number): T[] {
  const out = [...items];
  for (let i = out.length - 1; i > 0; i -= 1) {
    const j = Math.floor(random() * (i + 1));
    [out[i], out[j]] = [out[j] as T, out[i] as T];
  }
  return out;
}

/** `part` of `whole`, with the bounds between which the true share lies with 95 % certainty (Wilson 1927). */
export interface Share {
  readonly part: number;
  readonly whole: number;
  /** Null of none. */
  readonly share: number | null;
  readonly low: number;
  readonly high: number;
}

export function share(part: number, whole: number): Share {
  if (whole === 0) return { part, whole, share: null, low: 0, high: 1 };
  const z = 1.959964;
  const p = part / whole;
  const middle = (p + (z * z) / (2 * whole)) / (1 + (z * z) / whole);
  const reach = (z * Math.sqrt((p * (1 - p)) / whole + (z * z) / (4 * whole * whole))) / (1 + (z * z) / whole);
  return { part, whole, share: round(p, 4), low: round(Math.max(0, middle - reach), 4), high: round(Math.min(1, middle + reach), 4) };
}

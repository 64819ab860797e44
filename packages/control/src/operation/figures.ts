import { addLatencies, latencyBuckets, latencyQuantile, type Beat, type ReleaseId } from "@midflight/protocol";

/** What processes measured of their requests lately, on the release that is live in them: over their last half to whole minute. */
export interface Figures {
  readonly release: ReleaseId;
  /** How many processes, threads and children they are made of. */
  readonly processes: number;
  /** The longest time that one of them tells of, in ms. */
  readonly overMs: number;
  readonly requests: number;
  readonly errors: number;
  readonly perSecond: number;
  /** Null: there were no requests. In ms. */
  readonly p50Ms: number | null;
  readonly p99Ms: number | null;
}

/** Adds up what was measured, by release, in the order in which they are met; what does not measure is left out. */
export function figuresOf(beats: readonly Beat[]): Figures[] {
  const pools = new Map<ReleaseId, { processes: number; overMs: number; requests: number; errors: number; perSecond: number; latency: number[] }>();
  for (const { measured } of beats) {
    const release = measured?.releases.at(-1)?.release;
    if (measured === undefined || release === undefined) continue;
    const { ms, requests, errors, latency } = measured.recent;
    let pool = pools.get(release);
    if (pool === undefined) pools.set(release, (pool = { processes: 0, overMs: 0, requests: 0, errors: 0, perSecond: 0, latency: Array.from({ length: latencyBuckets }, () => 0) }));
    pool.processes++;
    pool.overMs = Math.max(pool.overMs, ms);
    pool.requests += requests;
    pool.errors += errors;
    pool.perSecond += ms === 0 ? 0 : (requests * 1000) / ms;
    addLatencies(pool.latency, latency);
  }
  return [...pools].map(([release, { latency, ...sums }]) => ({ release, ...sums, p50Ms: latencyQuantile(latency, 0.5), p99Ms: latencyQuantile(latency, 0.99) }));
}

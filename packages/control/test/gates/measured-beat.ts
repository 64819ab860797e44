import { latencyBucket, packLatencies, latencyBuckets, type Beat, type ReleaseCounts, type ReleaseId } from "@midflight/protocol";

export const r1: ReleaseId = `sha256:${"1".repeat(64)}`;
export const r2: ReleaseId = `sha256:${"2".repeat(64)}`;

export interface Had {
  readonly release: ReleaseId;
  readonly requests: number;
  readonly errors?: number;
  /** Of each request; the list is gone through again and again. Default: 50. */
  readonly ms?: readonly number[];
  /** Requests under way, and how long each has taken. Default: none. */
  readonly waiting?: readonly [count: number, ms: number];
  /** When the release became live. Default: 0. */
  readonly sinceMs?: number;
}

export function countsOf({ release, requests, errors = 0, ms = [50], waiting, sinceMs = 0 }: Had): ReleaseCounts {
  const latency = Array.from({ length: latencyBuckets }, () => 0);
  for (let i = 0; i < requests; i++) latency[latencyBucket(ms[i % ms.length]!)]!++;
  return { ...(waiting !== undefined && { waiting: [latencyBucket(waiting[1]), waiting[0]] }), release, sinceMs, open: waiting?.[0] ?? 0, requests, errors, left: 0, latency: packLatencies(latency) };
}

export function measuredBeat(target: string, had: readonly Had[], more: Partial<Beat> = {}): Beat {
  const releases = had.map(countsOf);
  return {
    agent: `${target}-a`, target, service: target.replace(/-\d+.*$/, ""), host: "h", pid: 1, thread: 0, runtime: "node 24", startedAt: "2026-01-01T00:00:00.000Z",
    channel: "demo/production", state: "following", boot: r1, live: releases.at(-1)?.release ?? null, counter: 1, generation: 0,
    measured: { releases, recent: { ms: 0, requests: 0, errors: 0, left: 0, latency: [] } }, ...more,
  };
}

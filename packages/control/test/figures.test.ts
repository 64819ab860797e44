import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { latencyBucket, type Beat, type ReleaseId } from "@midflight/protocol";
import { figuresOf } from "../src/operation/figures.ts";
import { measuredBeat, r1, r2 } from "./gates/measured-beat.ts";

function beat(target: string, release: ReleaseId, recent: { ms: number; requests: number; errors: number; took: number }): Beat {
  const { ms, requests, errors, took } = recent;
  const { measured, ...rest } = measuredBeat(target, [{ release, requests: 9999, errors: 999 }]);
  return { ...rest, measured: { releases: measured!.releases, recent: { ms, requests, errors, left: 0, latency: requests === 0 ? [] : [latencyBucket(took), requests] } } };
}

describe("the figures of processes", () => {
  test("are of lately, added up by release", () => {
    const figures = figuresOf([
      beat("web-1", r2, { ms: 10_000, requests: 100, errors: 5, took: 20 }),
      beat("web-2", r1, { ms: 60_000, requests: 600, errors: 0, took: 10 }),
      beat("web-3", r1, { ms: 30_000, requests: 3000, errors: 3, took: 1000 }),
    ]);
    assert.deepEqual(figures.map(({ release, processes, overMs, requests, errors, perSecond }) => ({ release, processes, overMs, requests, errors, perSecond })), [
      { release: r2, processes: 1, overMs: 10_000, requests: 100, errors: 5, perSecond: 10 },
      { release: r1, processes: 2, overMs: 60_000, requests: 3600, errors: 3, perSecond: 110 },
    ]);
    assert.ok(Math.abs(figures[0]!.p50Ms! - 20) < 20 / 16 && Math.abs(figures[1]!.p50Ms! - 1000) < 1000 / 16);
  });

  test("are of the release that is live in a process, not of one before it", () => {
    const twice = measuredBeat("web-1", [{ release: r1, requests: 500 }, { release: r2, requests: 3 }]);
    assert.deepEqual(figuresOf([twice]).map(({ release }) => release), [r2]);
  });

  test("are zero where nobody asked, and none where nothing measures", () => {
    assert.deepEqual(figuresOf([beat("web-1", r1, { ms: 0, requests: 0, errors: 0, took: 0 })]), [
      { release: r1, processes: 1, overMs: 0, requests: 0, errors: 0, perSecond: 0, p50Ms: null, p99Ms: null },
    ]);
    assert.deepEqual(figuresOf([measuredBeat("web-1", [])]), []);
  });
});

import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { describe, test } from "node:test";
import { addLatencies, bucketOfRank, latencyBucket, latencyBuckets, latencyBucketStart, latencyQuantile, packLatencies } from "../src/latency.ts";
import { parseMeasured } from "../src/measured.ts";
import { parseBeat } from "../src/report.ts";

const release = `sha256:${"1".repeat(64)}`;
const counts = { requests: 2, errors: 1, left: 0, latency: [0, 1, 17, 1] };
const measured = { releases: [{ release, sinceMs: 1, open: 0, ...counts }], recent: { ms: 5, ...counts } };

describe("latency buckets", () => {
  test("hold what they say: every latency lies in its bucket, and a bucket is at most a sixteenth wide", () => {
    for (let ms = 0.001; ms < 3_000_000; ms *= 1.01) {
      const bucket = latencyBucket(ms);
      const [start, end] = [latencyBucketStart(bucket), latencyBucketStart(bucket + 1)];
      // A latency is cut to whole microseconds.
      assert.ok(start <= ms && ms < end + 0.001, `${ms} in ${start}–${end}`);
      if (bucket > 0 && bucket < latencyBuckets - 1) assert.ok((end - start) / start <= 1 / 16 + 1e-9);
    }
  });

  test("have a place for everything: nothing, less than nothing, no number, and more than there is", () => {
    assert.deepEqual([0, -1, NaN, 0.0639].map(latencyBucket), [0, 0, 0, 0]);
    assert.deepEqual([2 ** 31 / 1000, 1e12, Infinity].map(latencyBucket), [400, 400, 400]);
    assert.equal(latencyBucketStart(latencyBuckets), Infinity);
  });

  test("are packed without the empty ones, and added and taken away again", () => {
    const full = Array.from({ length: latencyBuckets }, () => 0);
    addLatencies(full, [3, 2, 40, 5]);
    addLatencies(full, [3, 1, 400, 1]);
    assert.deepEqual(packLatencies(full), [3, 3, 40, 5, 400, 1]);
    addLatencies(full, [3, 3], -1);
    assert.deepEqual(packLatencies(full), [40, 5, 400, 1]);
  });

  test("tell quantiles by rank, to a sixteenth", () => {
    const full = Array.from({ length: latencyBuckets }, () => 0);
    for (let ms = 1; ms <= 1000; ms++) full[latencyBucket(ms)]!++;
    for (const [q, exact] of [[0.5, 500], [0.99, 990], [1, 1000]] as const) assert.ok(Math.abs(latencyQuantile(full, q)! / exact - 1) < 1 / 16, `${q}`);
    assert.equal(latencyQuantile([], 0.99), null);
    assert.equal(bucketOfRank(full, 1001), null);
  });
});

describe("what a beat says of requests", () => {
  test("is read as spec/vectors/report.json has it", () => {
    const { beat } = JSON.parse(readFileSync(new URL("../../../spec/vectors/report.json", import.meta.url), "utf8")) as { beat: object };
    assert.deepEqual(parseBeat(beat), beat);
  });

  test("is read as it was written; an agent that does not measure says nothing", () => {
    assert.deepEqual(parseMeasured(measured), measured);
    assert.equal(parseMeasured(undefined), null);
  });

  for (const [what, change] of [
    ["more releases than are told", { releases: Array.from({ length: 4 }, () => measured.releases[0]) }],
    ["a bucket that does not exist", { recent: { ...measured.recent, latency: [latencyBuckets, 1] } }],
    ["buckets that are said twice", { recent: { ...measured.recent, latency: [3, 1, 3, 1] } }],
    ["half a pair", { recent: { ...measured.recent, latency: [3] } }],
    ["an empty bucket", { recent: { ...measured.recent, latency: [3, 0] } }],
    ["more pairs than there are buckets", { recent: { ...measured.recent, latency: Array.from({ length: 2 * latencyBuckets + 2 }, (_, i) => i + 1) } }],
    ["a count below zero", { recent: { ...measured.recent, errors: -1 } }],
    ["a release that is no digest", { releases: [{ ...measured.releases[0], release: "r1" }] }],
  ] as const) {
    test(`with ${what} is refused`, () => assert.throws(() => parseMeasured({ ...measured, ...change }), { code: "OBJECT_INVALID" }));
  }
});

import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { latencyQuantile, addLatencies, latencyBuckets, type LatencyCounts } from "@midflight/protocol";
import { Meter } from "../../src/measure/meter.ts";

const r1 = `sha256:${"1".repeat(64)}` as const;
const r2 = `sha256:${"2".repeat(64)}` as const;

/** A meter whose time is told by the test. */
function metered(): { readonly meter: Meter; readonly pass: (ms: number) => void; readonly request: (ms: number, end?: "answered" | "failed" | "left" | "stream") => void } {
  let now = 1000;
  const meter = new Meter(() => now, () => 1_700_000_000_000 + now);
  return {
    meter,
    pass: (ms) => (now += ms),
    request: (ms, end = "answered") => {
      const stint = meter.open();
      const began = now;
      now += ms;
      meter.close(stint!, began, end);
    },
  };
}

function p50(packed: LatencyCounts): number | null {
  const counts = Array.from({ length: latencyBuckets }, () => 0);
  addLatencies(counts, packed);
  return latencyQuantile(counts, 0.5);
}

describe("what a process measures", () => {
  test("is nothing before a release is live", () => {
    const { meter } = metered();
    assert.equal(meter.open(), null);
    assert.equal(meter.read(), undefined);
  });

  test("is counted for the release that was live when the request began, whenever it ends", () => {
    const { meter, request, pass } = metered();
    meter.begin(r1);
    request(10);
    const late = meter.open()!;
    const began = 1010;
    meter.begin(r2);
    pass(500);
    meter.close(late, began, "failed");
    request(20);
    const { releases } = meter.read()!;
    assert.deepEqual(releases.map(({ release, requests, errors, open }) => ({ release, requests, errors, open })), [
      { release: r1, requests: 2, errors: 1, open: 0 },
      { release: r2, requests: 1, errors: 0, open: 0 },
    ]);
    assert.equal(releases[1]!.sinceMs, 1_700_000_001_010);
  });

  test("tells errors, requests that their clients gave up, and those under way apart; event streams are no latency", () => {
    const { meter, request } = metered();
    meter.begin(r1);
    request(1);
    request(1, "failed");
    request(1, "left");
    request(3_600_000, "stream");
    meter.open();
    const [{ requests, errors, left, open, latency } = assert.fail()] = meter.read()!.releases;
    assert.deepEqual({ requests, errors, left, open }, { requests: 3, errors: 1, left: 1, open: 1 });
    assert.equal(latency.filter((_, i) => i % 2 === 1).reduce((sum, n) => sum + n, 0), 3);
  });

  test("tells of requests under way that have taken a second, by the release that they began on", () => {
    const { meter, request } = metered();
    meter.begin(r1);
    const [old] = [meter.open()!];
    meter.begin(r2);
    const slow = meter.open()!;
    request(5);
    meter.lookAtOpen((visit, leastMs, most) => {
      assert.deepEqual([leastMs, most], [1000, 5000]);
      visit(slow, 8000);
      visit(old, 20_000);
      visit(slow, 9000);
    });
    const [first, second] = meter.read()!.releases;
    assert.deepEqual(first!.waiting!.filter((_, i) => i % 2 === 1), [1]);
    assert.deepEqual(second!.waiting!.filter((_, i) => i % 2 === 1), [1, 1]);
    assert.equal(second!.requests, 1);
  });

  test("calls out when ten requests have failed since it was read, on a release that is young", () => {
    const { meter, request, pass } = metered();
    let called = 0;
    meter.onErrors = () => void called++;
    meter.begin(r1);
    for (let i = 0; i < 9; i++) request(1, "failed");
    assert.equal(called, 0);
    meter.read();
    for (let i = 0; i < 9; i++) request(1, "failed");
    assert.equal(called, 0);
    request(1, "failed");
    assert.equal(called, 1);
    meter.read();
    pass(600_000);
    for (let i = 0; i < 20; i++) request(1, "failed");
    assert.equal(called, 1);
  });

  test("recently, is what the last half to whole minute brought", () => {
    const { meter, request, pass } = metered();
    meter.begin(r1);
    for (let second = 0; second < 100; second++) {
      request(2);
      pass(998);
      if (second % 5 === 4) meter.read();
    }
    for (let second = 0; second < 100; second++) {
      request(800, "failed");
      pass(200);
      if (second % 5 === 4) meter.read();
    }
    const { recent, releases } = meter.read()!;
    assert.ok(recent.ms >= 30_000 && recent.ms <= 60_000, String(recent.ms));
    assert.equal(recent.requests, recent.ms / 1000);
    assert.equal(recent.errors, recent.requests);
    assert.equal(releases[0]!.requests, 200);
    assert.ok(Math.abs(p50(recent.latency)! - 800) < 800 / 16);
  });

  test("of a release that has just become live, recently is since then", () => {
    const { meter, request, pass } = metered();
    meter.begin(r1);
    request(5);
    pass(100_000);
    meter.read();
    meter.begin(r2);
    pass(2000);
    request(5);
    const { recent } = meter.read()!;
    assert.deepEqual([recent.ms, recent.requests], [2005, 1]);
  });

  test("is bounded: three releases, and a beat of a few kilobytes with every bucket in use", () => {
    const { meter, request } = metered();
    for (let round = 0; round < 10; round++) {
      meter.begin(round % 2 === 0 ? r1 : r2);
      for (let bucket = 0; bucket < 24; bucket++) for (let part = 0; part < 16; part++) request((64 * 2 ** bucket * (1 + part / 16)) / 1000);
    }
    const text = JSON.stringify(meter.read());
    assert.equal(meter.read()!.releases.length, 3);
    assert.ok(text.length < 16_384, String(text.length));
  });
});

import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { latencyBucket, latencyBuckets } from "@midflight/protocol";
import { atLeast } from "../../src/gates/binomial.ts";
import { quantileBounds, shareBounds } from "../../src/gates/statistics.ts";

function near(actual: number, expected: number): void {
  assert.ok(Math.abs(actual - expected) < 0.0005, `${actual}, not ${expected}`);
}

function counted(latencies: readonly number[]): number[] {
  const counts = Array.from({ length: latencyBuckets }, () => 0);
  for (const ms of latencies) counts[latencyBucket(ms)]!++;
  return counts;
}

/** The sum that `atLeast` is, term by term. */
function summed(k: number, n: number, p: number): number {
  let term = (1 - p) ** n;
  let below = 0;
  for (let i = 0; i < k; i++) {
    below += term;
    term *= ((n - i) / (i + 1)) * (p / (1 - p));
  }
  return 1 - below;
}

describe("how likely it is that at least so many come true", () => {
  for (const [k, n, p] of [[1, 1, 0.3], [1, 10, 0.01], [4, 100, 0.01], [60, 100, 0.5], [30, 1000, 0.02], [3, 1000, 0.99], [100, 100, 0.97]] as const) {
    test(`is the sum of the terms: ${k} of ${n} at ${p}`, () => assert.ok(Math.abs(atLeast(k, n, p) - summed(k, n, p)) < 1e-11, `${atLeast(k, n, p)} ${summed(k, n, p)}`));
  }

  test("is known at its ends, and for millions", () => {
    assert.deepEqual([atLeast(0, 10, 0.5), atLeast(11, 10, 0.5), atLeast(1, 10, 0), atLeast(10, 10, 1)], [1, 0, 0, 1]);
    assert.ok(Math.abs(atLeast(10_000_000 / 2, 10_000_000, 0.5) - 0.5) < 0.001);
  });
});

describe("the share of requests that fail", () => {
  test("has the bounds of Clopper and Pearson: 1 − α^(1/n) where none failed, and the mirror image where all did", () => {
    for (const n of [1, 10, 100, 10_000]) {
      assert.equal(shareBounds(0, n).lower, 0);
      assert.equal(shareBounds(n, n).upper, 1);
      near(shareBounds(0, n).upper, 1 - 0.00135 ** (1 / n));
      near(shareBounds(n, n).lower, 0.00135 ** (1 / n));
    }
  });

  test("of nothing may be anything", () => assert.deepEqual(shareBounds(0, 0), { lower: 0, upper: 1 }));

  for (const [failed, trials] of [[4, 100], [38, 1226], [90, 1000]] as const) {
    test(`lies where what was seen is not too unlikely: ${failed} of ${trials}`, () => {
      const { lower, upper } = shareBounds(failed, trials);
      assert.ok(lower < failed / trials && failed / trials < upper);
      near(summed(failed, trials, lower), 0.00135);
      near(1 - summed(failed + 1, trials, upper), 0.00135);
    });
  }
});

describe("a quantile of latencies", () => {
  test("of none is unknown", () => {
    assert.deepEqual(quantileBounds(counted([]), 0.99), { samples: 0, value: null, lower: 0, upper: Infinity });
  });

  test("of one alone is that one, to the width of its bucket, and may be any lower one", () => {
    const { value, lower, upper } = quantileBounds(counted([100]), 0.99);
    assert.ok(lower === 0 && value! > 94 && value! < 106 && upper > 100 && upper < 107, `${lower} ${value} ${upper}`);
  });

  test("lies within its bounds, which come closer with more", () => {
    const spread = (n: number): number => {
      const { value, lower, upper } = quantileBounds(counted(Array.from({ length: n }, (_, i) => 10 / (1 - (i + 0.5) / n))), 0.99);
      assert.ok(lower <= value! && value! <= upper && lower <= 1000 && upper >= 1000, `${lower} ${value} ${upper}`);
      return upper - lower;
    };
    assert.ok(spread(100_000) <= spread(1000) && spread(1000) < spread(400));
  });

  test("does not go beyond the slowest that was seen", () => {
    const { upper } = quantileBounds(counted([...Array.from({ length: 99 }, () => 1), 500]), 0.99);
    assert.ok(upper >= 500 && upper < 540);
  });
});

import assert from "node:assert/strict";
import { describe, test } from "node:test";
import * as fc from "fast-check";
import { Histogram } from "../src/index.ts";

describe("histogram", () => {
  test("stays within 1 % of the exact percentile, for any values", () => {
    const values = fc.array(fc.integer({ min: 0, max: 2_000_000_000 }), { minLength: 1, maxLength: 300 });
    const percents = fc.double({ min: 0, max: 100, noNaN: true });
    fc.assert(
      fc.property(values, percents, (microseconds, percent) => {
        const histogram = new Histogram();
        for (const value of microseconds) histogram.record(value);
        const sorted = [...microseconds].sort((a, b) => a - b);
        const exact = sorted[Math.max(Math.ceil((percent / 100) * sorted.length), 1) - 1] ?? Number.NaN;
        const found = histogram.percentile(percent);
        assert.ok(Math.abs(found - exact) <= exact * 0.01, `percentile ${percent}: ${found}, not ${exact}`);
      }),
    );
  });

  test("keeps the largest and the smallest value exactly", () => {
    const histogram = new Histogram();
    for (const value of [1_234_567, 33, 999]) histogram.record(value);
    assert.deepEqual([histogram.max, histogram.min, histogram.count], [1_234_567, 33, 3]);
    assert.equal(histogram.percentile(100), 1_234_567);
  });

  test("adds up two halves to the whole", () => {
    const [left, right, whole] = [new Histogram(), new Histogram(), new Histogram()];
    for (let i = 0; i < 1000; i += 1) {
      (i % 3 === 0 ? left : right).record(i * 37);
      whole.record(i * 37);
    }
    left.add(right);
    for (const percent of [0, 50, 99, 99.9, 100]) assert.equal(left.percentile(percent), whole.percentile(percent));
    assert.deepEqual([left.count, left.mean, left.max], [whole.count, whole.mean, whole.max]);
  });

  test("is empty at first, and refuses what is no percentile", () => {
    const histogram = new Histogram();
    assert.deepEqual([histogram.percentile(99), histogram.max, histogram.min, histogram.mean], [0, 0, 0, 0]);
    assert.throws(() => histogram.percentile(101), RangeError);
    assert.throws(() => histogram.percentile(Number.NaN), RangeError);
  });
});

import assert from "node:assert/strict";
import { describe, test } from "node:test";
import * as fc from "fast-check";
import { IdLedger, createSchedule, missingNumbers } from "../src/index.ts";
import { type StreamedEvent, createEventParser } from "../src/load/event-parser.ts";

describe("schedule", () => {
  test("spaces constant arrivals evenly", () => {
    const dueMs = createSchedule(400);
    assert.deepEqual([dueMs(0), dueMs(1), dueMs(1000)], [0, 2.5, 2500]);
  });

  test("draws the same Poisson arrivals from the same seed, at the rate asked for", () => {
    const [first, again, other] = [createSchedule(200, "poisson", 7), createSchedule(200, "poisson", 7), createSchedule(200, "poisson", 8)];
    const times = Array.from({ length: 20_000 }, (_, i) => first(i));
    assert.deepEqual(times, times.map((_, i) => again(i)));
    assert.notEqual(other(100), times[100]);
    assert.ok(times.every((time, i) => i === 0 || time >= (times[i - 1] ?? 0)));
    // 20,000 exponential gaps of 5 ms: their mean strays by 0.7 % as a rule, so 4 % is far outside.
    const meanGapMs = (times.at(-1) ?? 0) / (times.length - 1);
    assert.ok(Math.abs(meanGapMs - 5) < 0.2, `mean gap ${meanGapMs} ms`);
  });

  test("refuses a rate that is none", () => {
    for (const rate of [0, -1, Number.NaN, Number.POSITIVE_INFINITY]) assert.throws(() => createSchedule(rate), RangeError);
  });
});

describe("id ledger", () => {
  test("tells doubled, missing and unknown ids apart", () => {
    const ledger = new IdLedger();
    assert.equal(ledger.record("a"), null);
    assert.equal(ledger.record("b"), null);
    assert.match(ledger.record("a") ?? "", /twice/);
    assert.match(ledger.record(undefined) ?? "", /not an id/);
    assert.deepEqual(ledger.compare(["b", "c"]), { missing: ["a"], unknown: ["c"], doubled: ["a"] });
    assert.equal(ledger.size, 2);
  });

  test("names the numbers left out of a count", () => {
    assert.deepEqual(missingNumbers([7, 3, 4, 6]), [5]);
    assert.deepEqual(missingNumbers([2, 1, 3]), []);
    assert.deepEqual(missingNumbers([]), []);
  });
});

const parse = (chunks: readonly Buffer[]): StreamedEvent[] => {
  const events: StreamedEvent[] = [];
  const take = createEventParser((event) => events.push(event));
  for (const chunk of chunks) take(chunk);
  return events;
};

describe("event parser", () => {
  const text = 'retry: 1000\r\n: hello\r\n\r\nid: 1\nevent: stock\ndata: {"name":"Käse"}\n\nid:2\rdata:a\rdata: b\r\rdata: c\n\n: end\n';
  const expected = [
    { id: "1", type: "stock", data: '{"name":"Käse"}' },
    { id: "2", type: "message", data: "a\nb" },
    { id: "2", type: "message", data: "c" },
  ];

  test("reads events whatever their line ends", () => {
    assert.deepEqual(parse([Buffer.from(text)]), expected);
  });

  test("does not care where the bytes are cut", () => {
    const bytes = Buffer.from(text);
    fc.assert(
      fc.property(fc.uniqueArray(fc.integer({ min: 1, max: bytes.length - 1 }), { maxLength: 30 }), (cuts) => {
        const edges = [0, ...cuts.sort((a, b) => a - b), bytes.length];
        const chunks = edges.slice(1).map((edge, i) => bytes.subarray(edges[i], edge));
        assert.deepEqual(parse(chunks), expected);
      }),
    );
  });
});

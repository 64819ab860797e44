import assert from "node:assert/strict";
import { test } from "node:test";
import { parseErrorLimit, parseLatencyLimit } from "../../src/gates/limit.ts";

const table: readonly (readonly [string, ReturnType<typeof parseErrorLimit>, ReturnType<typeof parseLatencyLimit>])[] = [
  ["1%", { kind: "value", value: 0.01 }, null],
  ["0.5 %", { kind: "value", value: 0.005 }, null],
  ["0%", { kind: "value", value: 0 }, null],
  ["100%", null, null],
  ["2x", { kind: "times", factor: 2 }, { kind: "times", factor: 2 }],
  ["1.3×", { kind: "times", factor: 1.3 }, { kind: "times", factor: 1.3 }],
  ["0.9x", null, null],
  ["250ms", null, { kind: "value", value: 250 }],
  ["1.5s", null, { kind: "value", value: 1500 }],
  ["0ms", null, null],
  ["250", null, null],
  [">1%", null, null],
  ["-1%", null, null],
  ["1e3%", null, null],
  ["", null, null],
];

for (const [text, errors, latency] of table) {
  test(`a limit of "${text}" is ${JSON.stringify(errors)} of errors and ${JSON.stringify(latency)} of latency`, () => {
    assert.deepEqual(parseErrorLimit(text), errors);
    assert.deepEqual(parseLatencyLimit(text), latency);
  });
}

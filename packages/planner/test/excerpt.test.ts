import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { excerptsOfChange } from "../src/node/excerpt.ts";

const cases: readonly { readonly what: string; readonly before: string; readonly after: string; readonly shows: readonly [string, string] }[] = [
  { what: "both fit", before: 'app.get("/health", □);', after: 'app.get("/ready", □);', shows: ['app.get("/health", …)', 'app.get("/ready", …)'] },
  {
    what: "an entry far to the right", before: 'exports.config = { port: Number(process.env.PORT ?? 3456), pageSize: 10, currency: "EUR" };',
    after: 'exports.config = { port: Number(process.env.PORT ?? 3456), pageSize: 2, currency: "EUR" };',
    shows: ['exports.config = { port: … pageSize: 10, currency: "EUR" }', 'exports.config = { port: … pageSize: 2, currency: "EUR" }'],
  },
  {
    what: "a later line", before: "const table = {\n  first: compute(1, 2, 3, 4, 5),\n  second: 7,\n};", after: "const table = {\n  first: compute(1, 2, 3, 4, 5),\n  second: 8,\n};",
    shows: ["const table = { first: compute(1, 2, 3, 4, 5), second: 7, }", "const table = { first: compute(1, 2, 3, 4, 5), second: 8, }"],
  },
  {
    what: "the end of a long text", before: `say("${"word ".repeat(20)}here")`, after: `say("${"word ".repeat(20)}there")`,
    shows: ['say("word word word word … here")', 'say("word word word word … there")'],
  },
  { what: "more at the end", before: `f(${"a, ".repeat(30)}b)`, after: `f(${"a, ".repeat(30)}b, c)`, shows: ["f(a, a, a, a, a, a, a, a … b)", "f(a, a, a, a, a, a, a, a … b, c)"] },
];

describe("what is shown of two texts that differ", () => {
  for (const { what, before, after, shows } of cases) {
    test(what, () => {
      const shown = excerptsOfChange(before, after);
      assert.deepEqual([shown.before, shown.after], shows);
      assert.ok(shown.before.length <= 66 && shown.after.length <= 66);
    });
  }
});

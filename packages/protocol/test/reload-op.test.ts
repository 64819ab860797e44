import assert from "node:assert/strict";
import { test } from "node:test";
import { isMidflightError, parseUnitOps } from "@midflight/protocol";

const digest = `sha256:${"0".repeat(64)}`;
const step = { kind: "run", hasEffect: true, text: [[0, 4]] };
const reload = { key: "k", again: false, order: 0, steps: [step], former: { artifact: digest, steps: [{ ...step, kind: "bind" }] } };
const ops = (more: object): unknown => ({ unit: "m.js", birth: "", artifact: digest, imports: [], cells: [], bodies: [], members: [], ...more });

test("a reload is read as it was written, and a unit without one has none", () => {
  assert.deepEqual(parseUnitOps(ops({ reload })).reload, reload);
  assert.equal("reload" in parseUnitOps(ops({})), false);
});

for (const [what, bad] of Object.entries({
  "a step of no kind": { ...reload, steps: [{ ...step, kind: "eval" }] },
  "a step that brings its own text": { ...reload, steps: [{ ...step, text: ["console.log(1)"] }] },
  "ranges that go back": { ...reload, steps: [{ ...step, text: [[4, 8], [0, 2]] }] },
  "a former text without a digest": { ...reload, former: { artifact: "m.js", steps: [] } },
  "no former text": { ...reload, former: undefined },
  "an order that is no count": { ...reload, order: -1 },
})) {
  test(`${what} is refused`, () => {
    assert.throws(() => parseUnitOps(ops({ reload: bad })), (problem) => isMidflightError(problem) && problem.code === "OBJECT_INVALID");
  });
}

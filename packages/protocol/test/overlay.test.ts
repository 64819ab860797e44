import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { isMidflightError, parseUnitOps } from "../src/index.ts";

const digest = `sha256:${"a".repeat(64)}`;
const ops = { unit: "m.js", birth: "", artifact: digest, imports: [], cells: [], bodies: [], members: [], removals: [] };
const body = { slot: "$mf_1", door: { kind: "module" }, form: "function", isAsync: false, isGenerator: false, name: "f", usesSuper: false, shape: "", reflect: null, again: false, text: [[0, 1]] };
const isInvalid = (error: unknown): boolean => isMidflightError(error) && error.code === "OBJECT_INVALID";

describe("the operations of a unit", () => {
  test("say where a function object is found by a name and properties below it, and by nothing that runs", () => {
    const parse = (reflect: unknown): unknown => parseUnitOps({ ...ops, bodies: [{ ...body, reflect }] }).bodies[0]!.reflect;
    assert.equal(parse(null), null);
    assert.deepEqual(parse({ path: ["P", "prototype", "a b"], name: null }), { path: ["P", "prototype", "a b"], name: null });
    for (const path of [["f()"], ["a.b"], ["import('x')"], [""], [1], "f"]) assert.throws(() => parse({ path, name: null }), isInvalid, JSON.stringify(path));
  });

  test("take away members only by the guards that are to be there", () => {
    const parse = (removal: unknown): unknown => parseUnitOps({ ...ops, removals: [removal] }).removals;
    const removal = { className: "C", isStatic: false, name: "gone", slots: ["$mf_1"] };
    assert.deepEqual(parse(removal), [removal]);
    for (const slots of [["mine"], ["$mf_1", "$mf_2", "$mf_3"], "$mf_1"]) assert.throws(() => parse({ ...removal, slots }), isInvalid, JSON.stringify(slots));
    assert.throws(() => parse({ ...removal, className: "C.D" }), isInvalid);
  });

  test("take nothing away where a transition from before removals says nothing of it", () => {
    const former = JSON.stringify(ops, (key, value: unknown) => (key === "removals" ? undefined : value));
    assert.deepEqual(parseUnitOps(JSON.parse(former)).removals, []);
  });
});

import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { share } from "../../statistics.ts";
import { isTestFile, readLayout } from "../layout.ts";
import { dependenciesDiffer, entryUnit, readManifest } from "../manifest.ts";
import { namesWhat } from "../reason.ts";
import { groupTests, readMochaOptions } from "../runners.ts";
import { expect, failuresOf, scoreLive, type Expectation, type TestResult } from "../score.ts";

const ran = (...results: readonly [title: string, ok: boolean][]): { results: TestResult[]; problem: null } => ({ results: results.map(([title, ok]) => ({ title, ok })), problem: null });
const because = (what: Expectation | { because: string }): string => ("because" in what ? what.because : "");

describe("a case is eligible only if its tests tell the two commits apart", () => {
  test("what passes after each cold start is expected, and what fails on the code before tells", () => {
    const cold = [ran(["a", true], ["b", true]), ran(["b", true], ["a", true])];
    assert.deepEqual(expect(cold, ran(["a", true], ["b", false])), { passing: ["a", "b"], telling: ["b"] });
    assert.deepEqual(expect(cold, { results: [], problem: "it crashed" }), { passing: ["a", "b"], telling: ["a", "b"] });
  });

  test("tests that pass on both commits, fail cold, hang, or report nothing make none", () => {
    const green = ran(["a", true]);
    assert.match(because(expect([green], green)), /pass on the code before/);
    assert.match(because(expect([green, ran(["a", false])], ran(["b", false]))), /a cold start on it fails: a/);
    assert.match(because(expect([{ results: [], problem: "no answer" }], green)), /does not run its tests: no answer/);
    assert.match(because(expect([ran()], green)), /report nothing/);
  });

  test("what is red before and after alike is left out, and what turns red makes no case", () => {
    const cold = [ran(["old", false], ["new", true])];
    assert.deepEqual(expect(cold, ran(["old", false], ["new", false])), { passing: ["new"], telling: ["new"] });
    assert.match(because(expect(cold, ran(["old", true], ["new", false]))), /a cold start on it fails: old/);
    assert.match(because(expect([ran(["old", false])], ran(["old", false]))), /a cold start on it fails: old/);
  });

  test("a test that comes and goes is not expected, and equal titles are told apart", () => {
    assert.deepEqual(expect([ran(["a", true], ["a", true], ["b", true]), ran(["a", true], ["a", true])], ran(["a", true])), { passing: ["a", "a (2)"], telling: ["a (2)"] });
  });
});

describe("a live update counts as right only if nothing speaks against it", () => {
  const evidence = { disturbed: null, isAttested: true, fresh: [], failures: [], failsCold: false };
  const failures = failuresOf({ passing: ["a", "b"], telling: ["b"] }, ran(["a", true], ["b", false]));

  test("all tests pass in the same process, which reads back what was released", () => {
    assert.equal(scoreLive(evidence).score, "liveCorrect");
  });

  test("a failing test, another process, lost memory and another code read back are each wrong", () => {
    assert.deepEqual(failures.map(({ title }) => title), ["b"]);
    assert.equal(scoreLive({ ...evidence, failures }).score, "wrong");
    assert.equal(scoreLive({ ...evidence, disturbed: "the process is not the one that was started" }).score, "wrong");
    assert.equal(scoreLive({ ...evidence, isAttested: false }).score, "wrong");
  });

  test("a test that did not run, or a process that hung, is a failure", () => {
    const expectation = { passing: ["a"], telling: ["a"] };
    assert.equal(failuresOf(expectation, ran()).length, 1);
    assert.match(failuresOf(expectation, { results: [], problem: "no answer" })[0]?.error ?? "", /no answer/);
  });

  test("modules loaded beside the live ones, and tests that run only once in a process, say nothing of the update", () => {
    assert.equal(scoreLive({ ...evidence, fresh: ["lib/new.js"] }).score, "harness");
    assert.equal(scoreLive({ ...evidence, failures, failsCold: true }).score, "harness");
    const broken = failuresOf({ passing: ["a", "b"], telling: ["b"] }, { results: [], problem: "its socket was closed" });
    assert.equal(scoreLive({ ...evidence, disturbed: "its socket was closed", failures: broken, failsCold: true }).score, "harness");
    assert.equal(scoreLive({ ...evidence, disturbed: "its socket was closed", failures: broken }).score, "wrong");
    assert.equal(scoreLive({ ...evidence, disturbed: "what was held before is not what is loaded now", failures, failsCold: true }).score, "wrong");
  });
});

test("a reason has to name a declaration, a line or a file", () => {
  assert.equal(namesWhat({ unit: "lib/a.js", reason: "price(): a constructor", evidence: [] }), true);
  assert.equal(namesWhat({ unit: "lib/a.js", reason: "code changed", evidence: ["lib/a.js:3  run()"] }), true);
  assert.equal(namesWhat({ unit: "data/a.json", reason: "a file changed", evidence: [] }), true);
  assert.equal(namesWhat({ unit: "dependencies", reason: "the lock file changed", evidence: [] }), true);
  assert.equal(namesWhat({ unit: "lib/a.js", reason: "code changed", evidence: [] }), false);
});

test("the library is lib or src and the modules at the top, or else what is known to be nothing else", () => {
  const layout = readLayout(["index.js", "wrapper.mjs", "lib/a.js", "lib/data.json", "lib/a.test.js", "test/a.js", "bench/b.js", "eslint.config.js", ".eslintrc.js", "examples/e.js", "types/t.d.ts"]);
  assert.deepEqual(["index.js", "wrapper.mjs", "lib/a.js"].map((file) => layout.isUnit(file)), [true, true, true]);
  assert.deepEqual(["lib/a.test.js", "test/a.js", "bench/b.js", "eslint.config.js", ".eslintrc.js", "examples/e.js", "lib/data.json"].filter((file) => layout.isUnit(file)), []);
  assert.equal(layout.isLibrary("lib/data.json"), true);
  assert.deepEqual(["lib/a.test.js", "test/a.js"].map((file) => layout.isTest(file)), [true, true]);
  const flat = readLayout(["index.js", "parsers/json.js", "docs/d.js", "test.js"]);
  assert.deepEqual(["index.js", "parsers/json.js", "docs/d.js", "test.js"].map((file) => flat.isUnit(file)), [true, true, false, false]);
  assert.equal(isTestFile("test/support/env.js", "test('a')"), false);
  assert.equal(isTestFile("test/a.js", "describe('a', () => {})"), true);
});

test("a manifest says what is started and what is installed, however it is written", () => {
  const has = (path: string): boolean => ["lib/app.js", "index.js"].includes(path);
  assert.equal(entryUnit(readManifest('{"main":"lib/app"}'), has), "lib/app.js");
  assert.equal(entryUnit(readManifest('{"exports":{".":{"import":"./dist/x.mjs","require":"./lib/app.js"}}}'), has), "lib/app.js");
  assert.equal(entryUnit(readManifest("not JSON"), has), "index.js");
  assert.equal(dependenciesDiffer(readManifest('{"dependencies":{"a":"1"}}'), readManifest('{"devDependencies":{"a":"1"}}')), false);
  assert.equal(dependenciesDiffer(readManifest('{"dependencies":{"a":"1"}}'), readManifest('{"dependencies":{"a":"2"}}')), true);
});

describe("each file is run by what it is written for", () => {
  const manifest = readManifest('{"scripts":{"test":"nyc mocha --require test/env --timeout 3s test/"},"devDependencies":{"mocha":"1"}}');
  const adapterOf = (text: string, of = manifest): unknown => {
    const groups = groupTests(new Map([["t.js", text]]), of);
    return typeof groups === "string" ? groups : groups[0]?.adapter;
  };

  test("by its imports first, then by package.json, and as a program if neither says more", () => {
    assert.equal(adapterOf('import test from "node:test"; describe("a")'), "node-test");
    assert.equal(adapterOf('const test = require("tape")'), "tape");
    assert.equal(adapterOf('const { test } = require("tap")'), "tap");
    assert.equal(adapterOf('describe("a", () => {})'), "mocha");
    assert.equal(adapterOf('describe("a", () => {})', readManifest('{"devDependencies":{"jest":"1"}}')), "jest-style");
    assert.equal(adapterOf('require("assert")(true)'), "script");
  });

  test("a runner that has no adapter is named", () => {
    assert.equal(adapterOf('import test from "ava"'), "t.js is written for ava");
  });

  test("mocha's options are read where mocha reads them", () => {
    const none = (): undefined => undefined;
    assert.deepEqual(readMochaOptions(manifest, none), { ui: "bdd", require: ["test/env"], timeoutMs: 3000 });
    const files: Record<string, string> = { ".mocharc.yml": "require:\n  - should\n  - ./test/env.js\ntimeout: 10s\nui: tdd\n" };
    assert.deepEqual(readMochaOptions(readManifest("{}"), (file) => files[file]), { ui: "tdd", require: ["should", "./test/env.js"], timeoutMs: 10_000 });
  });
});

test("a share has the bounds of Wilson's interval", () => {
  assert.deepEqual(share(0, 300), { part: 0, whole: 300, share: 0, low: 0, high: 0.0126 });
  assert.deepEqual(share(15, 20), { part: 15, whole: 20, share: 0.75, low: 0.5313, high: 0.8881 });
  assert.equal(share(0, 0).share, null);
});

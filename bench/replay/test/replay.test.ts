import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { mkdirSync, mkdtempSync, readdirSync, realpathSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { after, before, describe, test, type TestContext } from "node:test";
import { ensureInstalled } from "../../../scripts/setup/install.mjs";
import { openHistory } from "../git-history.ts";
import { openCase, runPlain, type ReplayCase } from "../open-case.ts";
import { replayLive } from "../replay-live.ts";
import { replayRivals } from "../rivals.ts";
import type { TestOrder } from "../replay-process.ts";

type Files = Readonly<Record<string, string>>;

const options = { concurrency: 2 };
let workshop: string;
before(() => (workshop = mkdtempSync(path.join(realpathSync(tmpdir()), "midflight-replay-test-"))));
after(() => rmSync(workshop, { recursive: true, force: true }));

/** A repository with one commit after the other; the newest is the case. */
function createRepository(t: TestContext, ...commits: readonly Files[]): string {
  const directory = mkdtempSync(path.join(workshop, "repository-"));
  t.after(() => rmSync(directory, { recursive: true, force: true }));
  const git = (...args: string[]): void => void execFileSync("git", ["-c", "user.name=t", "-c", "user.email=t@t", "-c", "init.defaultBranch=main", ...args], { cwd: directory, stdio: "ignore" });
  git("init");
  for (const [i, files] of commits.entries()) {
    write(directory, files);
    git("add", "-A");
    git("commit", "-m", `commit ${i}`);
  }
  return path.join(directory, ".git");
}

function write(directory: string, files: Files): void {
  for (const [name, text] of Object.entries(files)) {
    mkdirSync(path.dirname(path.join(directory, name)), { recursive: true });
    writeFileSync(path.join(directory, name), text);
  }
}

async function caseOf(t: TestContext, ...commits: readonly Files[]): Promise<ReplayCase | { because: string } | null> {
  const history = await openHistory(createRepository(t, ...commits));
  const [newest] = await history.commits(1);
  // Commits of the same second that say the same have the same name.
  return await openCase(history, newest!, path.join(mkdtempSync(path.join(workshop, "case-")), newest!.id));
}

async function eligible(t: TestContext, ...commits: readonly Files[]): Promise<ReplayCase> {
  const one = await caseOf(t, ...commits);
  assert.ok(one !== null && !("because" in one), `not eligible: ${JSON.stringify(one)}`);
  return one;
}

const price = (body: string, more = ""): string => `"use strict";\n${more}let calls = 0;\nfunction price(n) {\n  calls += 1;\n  return ${body};\n}\nmodule.exports = { price };\n`;
const testOf = (wanted: number): string => `const test = require("node:test");\nconst assert = require("node:assert");\nconst { price } = require("../lib/price.js");\ntest("price", async () => {\n  await null;\n  assert.equal(price(2), ${wanted});\n});\n`;
const base: Files = { "package.json": '{"name":"shop","main":"lib/price.js"}', "lib/price.js": price("n * 2"), "test/price.js": testOf(4) };

describe("commits are chosen by what they change and what their tests tell", options, () => {
  test("a commit that changes a module and a test that fails without it is a case", async (t) => {
    const one = await eligible(t, base, { "lib/price.js": price("n * 3"), "test/price.js": testOf(6) });
    assert.equal(one.class, "code");
    assert.deepEqual(one.order.groups, [{ adapter: "node-test", files: ["test/price.js"] }]);
    assert.deepEqual(one.expectation, { passing: ["test/price.js price"], telling: ["test/price.js price"] });
  });

  test("one that changes no test, or no module, is none; one whose tests pass without it tells nothing", async (t) => {
    assert.equal(await caseOf(t, base, { "lib/price.js": price("n * 3") }), null);
    assert.equal(await caseOf(t, base, { "test/price.js": `${testOf(4)}// more\n` }), null);
    const same = await caseOf(t, base, { "lib/price.js": price("n + n"), "test/price.js": `${testOf(4)}// more\n` });
    assert.match(same !== null && "because" in same ? same.because : "", /pass on the code before/);
    const red = await caseOf(t, base, { "lib/price.js": price("n * 3"), "test/price.js": testOf(7) });
    assert.match(red !== null && "because" in red ? red.because : "", /a cold start on it fails/);
  });
});

describe("a process is taken to the commit live, and its tests run inside it", options, () => {
  test("a changed body goes live, and the tests meet it in the module that was loaded before", async (t) => {
    const one = await eligible(t, base, { "lib/price.js": price("n * 3"), "test/price.js": testOf(6) });
    const live = await replayLive(one);
    assert.deepEqual([live.score, live.rung, live.because], ["liveCorrect", "patch", ""]);
    const rivals = await replayRivals(one);
    assert.equal(rivals.LiveEdit.score, "liveCorrect");
    assert.match(rivals["require-cache purge"].because, /what was held before is not what is loaded now/);
    assert.equal(rivals["rolling restart"].score, "replaced");
  });

  test("what is said to be live and is not is found: V8 says Ok to a constant that it does not change", async (t) => {
    const body = "n * factor";
    const one = await eligible(t, { ...base, "lib/price.js": price(body, "const factor = [2][0];\n") }, { "lib/price.js": price(body, "const factor = [3][0];\n"), "test/price.js": testOf(6) });
    const { score, because } = (await replayRivals(one)).LiveEdit;
    assert.equal(score, "wrong");
    assert.match(because, /1 failed: test\/price\.js price/);
    assert.notEqual((await replayLive(one)).score, "wrong");
  });

  test("what cannot go live is refused with a reason that names it", async (t) => {
    const one = await eligible(t, base, { "lib/price.js": price("n * 3", "console.log('started');\n"), "test/price.js": testOf(6) });
    const live = await replayLive(one);
    assert.deepEqual([live.score, live.rung, live.isExplained], ["replaced", "replace", true]);
  });

  test("ES modules are met through their own name, too", async (t) => {
    const esm = (factor: number): Files => ({
      "package.json": '{"name":"shop","type":"module","exports":"./lib/price.js"}',
      "lib/price.js": `export function price(n) {\n  return n * ${factor};\n}\n`,
      "test/price.js": `import test from "node:test";\nimport assert from "node:assert";\nimport { price } from "shop";\ntest("price", () => assert.equal(price(2), ${2 * factor}));\n`,
    });
    const live = await replayLive(await eligible(t, esm(2), { ...esm(3) }));
    assert.deepEqual([live.score, live.because], ["liveCorrect", ""]);
  });
});

describe("each runner's tests are run within a process that goes on", options, () => {
  const runners = path.join(import.meta.dirname, "../runners");
  before(async () => await ensureInstalled(runners, "test runners"));

  async function results(adapter: TestOrder["groups"][number]["adapter"], texts: Files, isTwice = false): Promise<unknown> {
    const directory = mkdtempSync(path.join(workshop, "runner-"));
    write(directory, { "package.json": "{}", "lib/a.js": "module.exports = 1;\n", ...texts });
    symlinkSync(path.join(runners, "node_modules"), path.join(directory, "node_modules"), "dir");
    const order = { directory, groups: [{ adapter, files: readdirSync(directory).filter((name) => name.startsWith("t")) }], mocha: { ui: "bdd", require: [], timeoutMs: null } };
    const runs = await runPlain(directory, { entry: "lib/a.js", units: ["lib/a.js"], isEsm: false }, isTwice ? [order, order] : [order]);
    assert.deepEqual(runs.map(({ problem }) => problem), runs.map(() => null));
    return runs[0]!.results.map(({ title, ok }) => [title, ok]);
  }

  test("mocha", async () => {
    const text = 'const assert = require("assert");\ndescribe("d", () => {\n  it("passes", (done) => setTimeout(done, 5));\n  it("fails", async () => assert.equal(1, 2));\n  it.skip("skips", () => {});\n});\n';
    assert.deepEqual(await results("mocha", { "t.js": text }, true), [["d passes", true], ["d fails", false]]);
  });

  test("node:test, twice in one process, while it waits for timers and servers", async () => {
    const text = 'const { test, describe, it } = require("node:test");\nconst { createServer } = require("node:http");\ntest("passes", (t, done) => { const s = createServer().listen(0, () => s.close(done)); });\ntest("fails", () => { throw new Error("no"); });\ndescribe("d", () => { it("sub", async (t) => { await t.test("deep", () => {}); }); });\n';
    assert.deepEqual(await results("node-test", { "t.cjs": text }, true), [["t.cjs passes", true], ["t.cjs fails", false], ["t.cjs deep", true], ["t.cjs sub", true]]);
  });

  test("the globals of jest", async () => {
    const text = 'const assert = require("assert");\nlet ready = false;\nbeforeAll(() => { ready = true; });\ndescribe("d", () => {\n  it("passes", (done) => { assert(ready); done(); });\n  test("fails", () => assert(false));\n});\n';
    assert.deepEqual(await results("jest-style", { "t.js": text }), [["passes", true], ["fails", false]]);
  });

  test("tape", async () => {
    const text = 'const test = require("tape");\ntest("sums", (t) => { t.equal(1 + 1, 2, "two"); t.equal(1, 2, "one"); t.end(); });\n';
    assert.deepEqual(await results("tape", { "t.js": text }), [["t.js sums two", true], ["t.js sums one", false]]);
  });

  test("programs: one passes by ending, and fails by throwing, now or later, or by its exit code", async () => {
    const texts = { "t1.js": "setTimeout(() => {}, 5);\n", "t2.js": "setTimeout(() => { throw new Error('late'); }, 5);\n", "t3.js": "process.exit(1);\n", "t4.js": "process.exit(0);\n", "t5.js": "process.exitCode = 1;\n" };
    assert.deepEqual(await results("script", texts), [["t1.js", true], ["t2.js", false], ["t3.js", false], ["t4.js", true], ["t5.js", false]]);
  });
});

test("assertions of TAP are read with the subtests around them", async () => {
  const { parseTap } = (await import(new URL("../host/adapters/parse-tap.mjs", import.meta.url).href)) as { parseTap: (text: string) => readonly { title: string; ok: boolean }[] };
  const text = "TAP version 13\n# Subtest: outer\n    ok 1 - first\n    # Subtest: inner\n        not ok 1 - deep\n        1..1\n    not ok 2 - inner # time=1ms\n    1..2\nnot ok 1 - outer # time=2.5ms\nok 2 - skipped # SKIP\n1..2\n";
  assert.deepEqual(parseTap(text).map(({ title, ok }) => [title, ok]), [["outer first", true], ["outer inner deep", false], ["outer inner", false], ["outer", false]]);
});

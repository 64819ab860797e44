import assert from "node:assert/strict";
import { cpSync, mkdtempSync, rmSync } from "node:fs";
import os from "node:os";
import path from "node:path";
import { after, before, describe, test } from "node:test";
import { makeProject, type Project, type Up } from "../support/project.ts";
import { runHere, type RanHere } from "../support/run-here.ts";

describe("plan --from DIR --to DIR", () => {
  let project: Project;
  let up: Up;
  /** The code that the process was started from. */
  const old = mkdtempSync(path.join(os.tmpdir(), "midflight-from-"));
  const here = (...args: readonly string[]): Promise<RanHere> => runHere(args, { directory: project.directory });

  before(async () => {
    project = makeProject();
    up = await project.up();
    for (const name of ["src", "package.json"]) cpSync(path.join(project.directory, name), path.join(old, name), { recursive: true });
  });
  after(async () => {
    if (up?.process.isAlive) await up.process.stop();
    project.remove();
    rmSync(old, { recursive: true, force: true });
  });

  interface PlanAnswer {
    readonly unchanged: boolean;
    readonly rung: string | null;
    readonly allowed: boolean;
    readonly verdicts: readonly unknown[];
  }
  const judgementOf = ({ unchanged, rung, allowed, verdicts }: PlanAnswer): PlanAnswer => ({ unchanged, rung, allowed, verdicts });

  const edits: readonly (readonly [rung: string, file: string, find: string, replace: string])[] = [
    ["patch", "src/greeting.js", "hello", "good day"],
    ["redefine", "src/greeting.js", "export function greet", "export const tone = 3;\nexport function greet"],
    ["replace", "src/server.js", "const counter = new Counter();", "const counter = new Counter();\ncounter.add();"],
  ];
  for (const [rung, file, find, replace] of edits) {
    test(`gives the verdict that a plan against the running process gives: ${rung}`, async () => {
      const text = project.read(file);
      project.edit(file, find, replace);
      try {
        const running = JSON.parse((await here("plan", "--json")).out) as PlanAnswer;
        const between = await here("plan", "--from", old, "--to", ".", "--json", "--exit-code");
        assert.equal(running.rung, rung);
        assert.deepEqual(judgementOf(JSON.parse(between.out) as PlanAnswer), judgementOf(running));
        assert.equal(between.code, 10);
        const told = await here("plan", "--from", old);
        assert.match(told.out, new RegExp(`^Plan {2}\\S*midflight-from-\\S+ → \\.\\n[\\s\\S]*${rung} +${file}`));
        assert.ok(told.out.split("\n").every((line) => line.length <= 80 || line.includes(old)), told.out);
      } finally {
        project.write(file, text);
      }
    });
  }

  test("of a directory and itself says that nothing changed", async () => {
    const same = await here("plan", "--from", old, "--to", old, "--json", "--exit-code");
    assert.deepEqual([same.code, (JSON.parse(same.out) as PlanAnswer).rung], [0, null]);
    assert.match((await here("plan", "--from", old, "--to", old)).out, /: the same\.$/m);
  });

  test("needs no project: without a configuration in --to all of it is code", async () => {
    const target = mkdtempSync(path.join(os.tmpdir(), "midflight-to-"));
    try {
      cpSync(old, target, { recursive: true });
      cpSync(path.join(project.directory, "src/counter.js"), path.join(target, "lib/counter.js"), { recursive: true });
      const ran = await runHere(["plan", "--from", old, "--to", target, "--json"], { directory: os.tmpdir() });
      assert.equal(ran.code, 0, ran.err);
      assert.match(JSON.stringify((JSON.parse(ran.out) as PlanAnswer).verdicts), /lib\/counter\.js/);
    } finally {
      rmSync(target, { recursive: true, force: true });
    }
  });

  test("with half of what it needs is refused", async () => {
    for (const args of [["plan", "--to", old], ["plan", "--from", old, "-o", "plan.json"]]) {
      const { code, err } = await here(...args);
      assert.equal(code, 2, args.join(" "));
      assert.match(err, /✖ USAGE/);
    }
    const missing = await here("plan", "--from", path.join(old, "nothing"));
    assert.match(missing.err, /✖ USAGE\n {2}There is no directory \S+nothing\./);
    assert.equal(missing.code, 2);
  });
});

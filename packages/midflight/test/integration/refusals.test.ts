import assert from "node:assert/strict";
import { after, before, describe, test } from "node:test";
import { makeProject, type Project, type Up } from "../support/project.ts";

interface ErrorJson {
  readonly code: string;
  readonly what: string;
  readonly why: string;
  readonly state: string;
  readonly fix: readonly string[];
}

describe("what must not go live does not, and the old code serves on", () => {
  let project: Project;
  let up: Up;
  before(async () => {
    project = makeProject();
    up = await project.up();
  });
  after(async () => {
    if (up?.process.isAlive) await up.process.stop();
    project.remove();
  });

  /** Deploys and expects a refusal in the four lines; whatever it was, the app answers as before. */
  async function refused(args: readonly string[], code: string, exit: number): Promise<ErrorJson> {
    const before = await up.ask();
    const ran = await project.run(...args, "--json");
    const error = ran.json["error"] as ErrorJson;
    assert.equal(error.code, code, ran.stdout);
    assert.equal(ran.code, exit);
    assert.equal(ran.json["ok"], false);
    for (const line of [error.what, error.why, error.state, error.fix[0]]) assert.ok(line !== undefined && line.length > 5, JSON.stringify(error));
    const now = await up.ask();
    assert.deepEqual([now.says, now.pid, now.total], [before.says, before.pid, before.total + 1]);
    return error;
  }

  test("a syntax error is named with file, line and column, and nothing is published", async () => {
    const good = project.read("src/greeting.js");
    project.write("src/greeting.js", 'export function greet() {\n  return "hel;\n}\n');
    const error = await refused(["deploy"], "UNIT_SYNTAX", 3);
    assert.match(`${error.what} ${error.why}`, /src\/greeting\.js:2:\d+/);
    project.write("src/greeting.js", good);
  });

  test("an import of a file that is not there is refused with its place", async () => {
    const good = project.read("src/server.js");
    project.edit("src/server.js", './greeting.js"', './greetings.js"');
    const error = await refused(["deploy"], "BUILD_UNRESOLVED_IMPORT", 3);
    assert.match(`${error.what} ${error.why}`, /src\/server\.js:2/);
    project.write("src/server.js", good);
  });

  test("a field added to a class with instances is refused, with the reason and the way on", async () => {
    project.edit("src/counter.js", "total = 0;", "total = 0;\n  step = 1;");
    const error = await refused(["deploy"], "REPLACE_NEEDED", 3);
    assert.match(error.what, /src\/counter\.js/);
    assert.match(error.fix[0]!, /^midflight deploy --max-rung replace/);
  });

  test("plan shows the same refusal before the deploy", async () => {
    const plan = await project.run("plan", "--json");
    assert.deepEqual([plan.json["rung"], plan.json["allowed"], plan.code], ["replace", false, 0]);
    const raised = await project.run("plan", "--max-rung", "replace", "--json");
    assert.equal((raised.json["next"] as { command: string }[])[0]?.command, "midflight deploy --max-rung replace", "what it offers is not refused");
  });

  test("a plan that cannot be saved is no bug of ours", async () => {
    const { code, stderr } = await project.run("plan", "--output", "nowhere/plan.json");
    assert.equal(code, 2);
    assert.match(stderr, /cannot be saved: ENOENT/);
  });

  test("with --max-rung replace a new process takes over, and rollback brings the former one back the same way", async () => {
    const before = await up.ask();
    const ran = await project.run("deploy", "--max-rung", "replace");
    assert.equal(ran.code, 0, ran.stderr);
    assert.match(ran.stdout, /no request fails/);
    const after = await up.ask();
    assert.notEqual(after.pid, before.pid);
    assert.match((await project.run("show")).stdout, /needed a new process: /);
    const back = await project.run("rollback", "--json");
    assert.equal(back.code, 0, back.stderr);
    const ps = (await project.run("ps", "--json")).json["processes"] as { live: string; pid: number }[];
    assert.deepEqual(ps.map(({ live, pid }) => [live, pid]), [["r1", (await up.ask()).pid]]);
    assert.doesNotMatch(up.process.stdout.lines.join("\n"), /web-1 refused/, "what the former process could not do is told by its replacement");
    project.edit("src/counter.js", "total = 0;\n  step = 1;", "total = 0;");
  });

  test("--max-rung patch refuses a redefine", async () => {
    project.write("src/greeting.js", 'const name = "you";\nexport function greet() {\n  return `hello ${name}`;\n}\n');
    await refused(["deploy", "--max-rung", "patch"], "RUNG_TOO_HIGH", 3);
    project.write("src/greeting.js", 'export function greet() {\n  return "hello";\n}\n');
  });

  test("a saved plan runs exactly, or not at all", async () => {
    project.edit("src/greeting.js", '"hello"', '"planned"');
    assert.equal((await project.run("plan", "-o", "p.json")).code, 0);
    project.edit("src/greeting.js", '"planned"', '"something else"');
    const error = await refused(["deploy", "p.json"], "PLAN_STALE", 3);
    assert.match(error.why, /the code changed/);
    project.edit("src/greeting.js", '"something else"', '"planned"');
    const ran = await project.run("deploy", "p.json", "--json");
    assert.equal(ran.code, 0, ran.stdout);
    assert.equal((await up.ask()).says, "planned");
    const again = await refused(["deploy", "p.json"], "PLAN_STALE", 3);
    assert.match(again.why, /another release went live/);
  });

  test("a file that is no plan is not run", async () => {
    project.write("q.json", "{}");
    await refused(["deploy", "q.json"], "USAGE", 2);
  });

  test("a lost entry file is refused", async () => {
    const good = project.read("src/server.js");
    project.write("src/main.js", good);
    const { rmSync } = await import("node:fs");
    rmSync(`${project.directory}/src/server.js`);
    await refused(["deploy"], "ENTRY_MISSING", 3);
    project.write("src/server.js", good);
    rmSync(`${project.directory}/src/main.js`);
  });
});

import assert from "node:assert/strict";
import { afterEach, beforeEach, describe, test } from "node:test";
import { isAlive, makeProject, type Project, type Up } from "../support/project.ts";

describe("when things break", () => {
  let project: Project;
  let up: Up;
  beforeEach(async () => {
    project = makeProject();
    up = await project.up();
  });
  afterEach(async () => {
    if (up.process.isAlive) await up.process.stop();
    project.remove();
  });

  /** Asks until the app answers as it should; a process that is being started does not answer yet. */
  async function eventually(isRight: (answer: { says: string; pid: number }) => boolean): Promise<{ says: string; pid: number }> {
    const deadline = performance.now() + 60_000;
    let last: unknown;
    while (performance.now() < deadline) {
      try {
        const answer = await up.ask();
        if (isRight(answer)) return answer;
        last = answer;
      } catch (error) {
        last = error;
      }
      await new Promise((resolve) => setTimeout(resolve, 50));
    }
    throw new Error(`it never answered right; last: ${String(last instanceof Error ? last : JSON.stringify(last))}`);
  }

  test("a killed process comes back on the live release, not on the one it was started from", async () => {
    project.edit("src/greeting.js", '"hello"', '"patched"');
    assert.equal((await project.run("deploy")).code, 0);
    const { pid } = await up.ask();
    process.kill(pid, "SIGKILL");
    const after = await eventually((answer) => answer.pid !== pid);
    assert.equal(after.says, "patched");
    assert.match(up.process.stdout.lines.join("\n"), /✖ web-1 +r1 +it was ended by SIGKILL; started again in/);
  });

  test("a release that cannot boot is taken back, with the end of its log, and the process before it has served all the time", async () => {
    project.edit("src/counter.js", "total = 0;", "total = 0;\n  step = 1;");
    project.edit("src/server.js", "const counter", 'if (process.pid > 0) throw new Error("no database");\nconst counter');
    const ran = await project.run("deploy", "--max-rung", "replace", "--json");
    const error = ran.json["error"] as { code: string; why: string; state: string };
    assert.equal(ran.code, 4, ran.stdout);
    assert.equal(error.code, "REPLACE_FAILED");
    assert.match(error.why, /no database/);
    assert.match(error.state, /r1 serves on 1 process/);
    assert.equal((await eventually(() => true)).says, "hello");
    const { releases } = (await project.run("releases", "--json")).json as { releases: { release: string; state: string }[] };
    assert.deepEqual(releases.map(({ release, state }) => [release, state]), [["r2", "rolled-back"], ["r1", "assigned"]]);
  });

  test("processes outlive a killed control, and the next one takes them over", async () => {
    project.edit("src/greeting.js", '"hello"', '"patched"');
    assert.equal((await project.run("deploy")).code, 0);
    const { pid } = await up.ask();
    await up.process.kill("SIGKILL");
    assert.equal((await up.ask()).says, "patched", "the app serves without control");
    const refused = await project.run("status", "--json");
    assert.equal((refused.json["error"] as { code: string }).code, "CONTROL_NOT_RUNNING");
    up = await project.up();
    assert.match(up.process.stdout.lines.join("\n"), /found running, taken over/);
    assert.equal((await up.ask()).pid, pid);
    project.edit("src/greeting.js", '"patched"', '"patched again"');
    assert.equal((await project.run("deploy")).code, 0);
    assert.deepEqual([(await up.ask()).says, (await up.ask()).pid], ["patched again", pid]);
    await up.process.stop();
    assert.equal(isAlive(pid), false, "what was taken over is ended, too");
  });

  test("what a killed control left behind is ended where it cannot be taken over", async () => {
    const { pid } = await up.ask();
    await up.process.kill("SIGKILL");
    project.edit("midflight.config.mjs", 'PORT: "0"', 'PORT: "0", OTHER: "1"');
    up = await project.up();
    assert.match(up.process.stdout.lines.join("\n"), new RegExp(`process ${pid}, was left behind`));
    assert.equal(isAlive(pid), false);
    assert.equal((await up.ask()).says, "hello");
  });

  test("a process that does not answer: --timeout leaves with 6, Ctrl-C with 130, and the deploy goes on", async () => {
    const { pid } = await up.ask();
    process.kill(pid, "SIGSTOP");
    try {
      project.edit("src/greeting.js", '"hello"', '"late"');
      const timed = await project.run("deploy", "--timeout", "1", "--json");
      assert.equal(timed.code, 6, timed.stdout);
      assert.match((timed.json["error"] as { state: string }).state, /r2 is published and goes on; 0 of 1 process confirmed/);
      project.edit("src/greeting.js", '"late"', '"later"');
      const left = await project.start("deploy");
      await left.waitForLine(/0 of 1 process on r3/);
      const { code } = await left.kill("SIGINT");
      assert.equal(code, 130);
      assert.match(left.stderr.lines.join("\n"), /COMMAND_INTERRUPTED[\s\S]*r3 is published and goes on/);
    } finally {
      process.kill(pid, "SIGCONT");
    }
    assert.equal((await eventually((answer) => answer.says === "later")).pid, pid);
  });

  test("Ctrl-C before anything is published ends the command and publishes nothing", async () => {
    project.edit("midflight.config.mjs", 'code: "src"', 'code: "src"');
    const started = await project.start("status", "--watch", "--json");
    await started.waitForLine(/"healthy"/);
    const { code } = await started.kill("SIGINT");
    assert.equal(code, 0);
    for (const line of started.stdout.lines) assert.equal((JSON.parse(line) as { schema: number }).schema, 1);
  });

  test("a deploy whose process never comes up ends by itself, and says so", async () => {
    await up.process.stop();
    project.edit("midflight.config.mjs", '"node src/server.js"', '"no-such-program src/server.js"');
    up = await project.up();
    // Which of the two depends on whether this user may look into each folder of the PATH.
    assert.match(up.process.stdout.lines.join(" ").replace(/\s+/g, " "), /no-such-program could not be started\. .*(?:ENOENT|EACCES)/);
    project.edit("src/greeting.js", '"hello"', '"never"');
    const ran = await project.run("deploy", "--json");
    assert.equal(ran.code, 5, ran.stdout);
    assert.equal((ran.json["error"] as { code: string }).code, "FLEET_MIXED");
  });

  test("a log that grows is not lost: what the app printed is in its log file", async () => {
    assert.match(project.read(".midflight/logs/web-1.log"), /listening on http/);
  });
});

describe("up --watch", () => {
  let project: Project;
  let up: Up;
  beforeEach(async () => {
    project = makeProject();
    up = await project.up("--watch");
  });
  afterEach(async () => {
    if (up.process.isAlive) await up.process.stop();
    project.remove();
  });

  test("a saved file goes live by itself; a broken one is told and changes nothing; the next good one goes live", async () => {
    const { pid } = await up.ask();
    project.edit("src/greeting.js", '"hello"', '"watched"');
    await up.process.waitForLine(/✔ web-1 runs r2/);
    assert.equal((await up.ask()).says, "watched");
    project.write("src/greeting.js", "export function greet( {\n");
    await up.process.waitForLine(/UNIT_SYNTAX/);
    assert.equal((await up.ask()).says, "watched");
    project.write("src/greeting.js", 'export function greet() {\n  return "good again";\n}\n');
    await up.process.waitForLine(/✔ web-1 runs r3/);
    assert.deepEqual([(await up.ask()).says, (await up.ask()).pid], ["good again", pid]);
  });

  test("a second publisher that watches the same channel is refused", async () => {
    const { lockPublisher } = await import("@midflight/publisher");
    assert.throws(() => lockPublisher({ directory: `${project.directory}/.midflight/state`, channel: "demo/development" }), /PUBLISHER_ALREADY_RUNNING/);
    await up.process.stop();
    const lock = lockPublisher({ directory: `${project.directory}/.midflight/state`, channel: "demo/development" });
    const ran = await project.run("up", "--watch", "--json");
    lock.release();
    assert.equal(ran.code, 3);
    assert.match(ran.stdout, /PUBLISHER_ALREADY_RUNNING/);
  });

  test("with a marker, a batch ends when the build says so, and not before", async () => {
    await up.process.stop();
    project.edit("midflight.config.mjs", 'app: "demo",', 'app: "demo", publish: { marker: "src/.done" },');
    project.write("src/.done", "0");
    up = await project.up("--watch");
    project.edit("src/greeting.js", '"hello"', '"half a build"');
    // Longer than any quiet window: only the marker may end the batch.
    await new Promise((resolve) => setTimeout(resolve, 400));
    assert.equal((await up.ask()).says, "hello");
    project.edit("src/greeting.js", '"half a build"', '"a whole build"');
    project.write("src/.done", "1");
    await up.process.waitForLine(/✔ web-1 runs r2/);
    assert.equal((await up.ask()).says, "a whole build");
  });

  test("what needs new processes is refused with the reason, and the way on", async () => {
    project.edit("src/counter.js", "total = 0;", "total = 0;\n  step = 1;");
    await up.process.waitForLine(/REPLACE_NEEDED/);
    await up.process.waitForLine(/midflight deploy --max-rung replace/);
    assert.equal((await up.ask()).says, "hello");
  });
});

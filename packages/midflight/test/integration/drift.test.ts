import assert from "node:assert/strict";
import path from "node:path";
import { pathToFileURL } from "node:url";
import { after, before, describe, test } from "node:test";
import { makeProject, type Project, type Ran, type Up } from "../support/project.ts";

/** What no release holds: at a signal it puts a method of its own on a class of the app, or takes it away again. */
const intruder = `let own = null;
process.on("SIGUSR2", async () => {
  const { Counter } = await import(process.cwd() + "/src/counter.js");
  if (own === null) [own, Counter.prototype.add] = [Counter.prototype.add, function () { this.total += 100; }];
  else [own, Counter.prototype.add] = [null, own];
});
`;

describe("code that somebody else changed in a process", () => {
  let project: Project;
  let up: Up;
  before(async () => {
    project = makeProject({ files: { "intruder.mjs": intruder } });
    project.edit("midflight.config.mjs", 'PORT: "0"', `PORT: "0", NODE_OPTIONS: "--import=${pathToFileURL(path.join(project.directory, "intruder.mjs")).href}"`);
    up = await project.up();
  });
  after(async () => {
    if (up?.process.isAlive) await up.process.stop();
    project.remove();
  });

  /** Agents look every few seconds. */
  async function untilHealth(health: string): Promise<Ran> {
    for (const deadline = performance.now() + 60_000; ; ) {
      const ran = await project.run("status", "--json");
      if (ran.json["health"] === health) return ran;
      assert.ok(performance.now() < deadline, ran.stdout);
    }
  }

  test("is told by status and ps, by name, and no longer when it is gone", async () => {
    project.edit("src/counter.js", "this.total += 1;", "this.total += 2;");
    const deployed = await project.run("deploy");
    assert.equal(deployed.code, 0, deployed.stderr);
    const [show, healthy] = [await project.run("show", "--json"), await untilHealth("healthy")];
    assert.match(show.stdout, /"declaration": ?"Counter\.add\(\)"/);
    assert.doesNotMatch(healthy.stdout, /"kind": ?"replaced"/);
    const { pid } = await up.ask();

    process.kill(pid, "SIGUSR2");
    const drifted = await untilHealth("drifted");
    assert.match(drifted.stdout, /"unit": ?"src\/counter\.js","declaration": ?"Counter\.add\(\)","kind": ?"replaced"/);
    const told = await project.run("status");
    assert.match(told.stdout, /· DRIFTED/);
    assert.match(told.stdout, /somebody else changed 1\s+declaration in it/);
    assert.match(told.stderr, /midflight ps/);
    const ps = await project.run("ps");
    assert.match(ps.stdout, /web-1 \(\d+\) does not run what it was given/);
    assert.match(ps.stdout, /src\/counter\.js Counter\.add\(\): other code stands in its place/);
    assert.ok(ps.stdout.split("\n").every((line) => line.length <= 80), ps.stdout);

    process.kill(pid, "SIGUSR2");
    await untilHealth("healthy");
    assert.equal((await up.ask()).pid, pid);
  });
});

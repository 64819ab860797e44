import assert from "node:assert/strict";
import { existsSync, mkdirSync, readdirSync, renameSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import path from "node:path";
import { afterEach, beforeEach, describe, test } from "node:test";
import { setTimeout as delay } from "node:timers/promises";
import { makeProject, type Project, type Up } from "../support/project.ts";

describe("the packages of a release", { timeout: 180_000 }, () => {
  let project: Project;
  let up: Up | null = null;
  beforeEach(() => {
    project = makeProject();
    project.edit("src/server.js", 'import http from "node:http";', 'import http from "node:http";\nimport { word } from "dep";');
    project.edit("src/server.js", "says: greet()", "says: `${greet()} ${word}`");
    install("1.0.0");
  });
  afterEach(async () => {
    if (up?.process.isAlive === true) await up.process.stop();
    up = null;
    project.remove();
  });

  /** As npm does it: what was there is moved away, what is new put in its place, and then the record is written. */
  function install(version: string): void {
    replace(version);
    record(version);
  }

  function replace(version: string): void {
    const at = path.join(project.directory, "node_modules");
    mkdirSync(path.join(at, ".bin"), { recursive: true });
    if (existsSync(path.join(at, "dep"))) renameSync(path.join(at, "dep"), path.join(at, ".dep-Ab3dE6gH"));
    mkdirSync(path.join(at, "dep"));
    writeFileSync(path.join(at, "dep/package.json"), JSON.stringify({ name: "dep", version, type: "module", exports: "./index.js" }));
    writeFileSync(path.join(at, "dep/index.js"), `export { word } from "./word.js";\n`);
    writeFileSync(path.join(at, "dep/word.js"), `export const word = "with dep ${version}";\n`);
    if (!existsSync(path.join(at, ".bin/dep"))) symlinkSync("../dep/index.js", path.join(at, ".bin/dep"));
  }

  function record(version: string): void {
    const at = path.join(project.directory, "node_modules");
    rmSync(path.join(at, ".dep-Ab3dE6gH"), { recursive: true, force: true });
    const entry = { version, resolved: `https://registry.example/dep-${version}.tgz`, integrity: `sha512-${version}` };
    writeFileSync(path.join(at, ".package-lock.json"), JSON.stringify({ name: "demo", lockfileVersion: 3, packages: { "node_modules/dep": entry } }));
    project.write("package-lock.json", JSON.stringify({ name: "demo", lockfileVersion: 3, packages: { "": { name: "demo" }, "node_modules/dep": entry } }));
  }

  async function untilKept(count: number): Promise<void> {
    const at = path.join(project.directory, ".midflight/packages");
    const kept = (): number => (existsSync(at) ? readdirSync(at).filter((name) => /^[0-9a-f]{16}$/.test(name)).length : 0);
    for (const deadline = performance.now() + 20_000; kept() < count && performance.now() < deadline; ) await delay(20);
    assert.equal(kept(), count);
  }

  test("an upgrade goes back with the packages that the former release was made with, and forward again", async () => {
    up = await project.up();
    assert.equal((await up.ask()).says, "hello with dep 1.0.0");
    await untilKept(1);
    install("2.0.0");
    assert.equal((await project.run("deploy", "--max-rung", "replace")).code, 0);
    assert.equal((await up.ask()).says, "hello with dep 2.0.0");
    await untilKept(2);
    const back = await project.run("rollback", "--json");
    assert.equal(back.code, 0, back.stdout);
    assert.equal((await up.ask()).says, "hello with dep 1.0.0", "what is installed is 2.0.0");
    assert.equal((await project.run("deploy", "r2", "--max-rung", "replace")).code, 0);
    assert.equal((await up.ask()).says, "hello with dep 2.0.0");
  });

  for (const [when, change] of [["after something else was installed", install], ["while something else is being installed", replace]] as const) {
    test(`a process that ends ${when} comes up with what its release was made with`, () => endsWhen(change));
  }

  async function endsWhen(change: (version: string) => void): Promise<void> {
    up = await project.up();
    const { pid } = await up.ask();
    await untilKept(1);
    change("2.0.0");
    process.kill(pid, "SIGKILL");
    await up.process.waitForLine(/ended/, { timeoutMs: 30_000 });
    for (const deadline = performance.now() + 30_000; ; await delay(50)) {
      const answer = await up.ask().catch(() => null);
      if (answer !== null && answer.pid !== pid) {
        assert.equal(answer.says, "hello with dep 1.0.0");
        break;
      }
      assert.ok(performance.now() < deadline, "it did not come up again");
    }
  }

  test("packages that are neither installed nor kept: the way back is refused before a process is touched, and says what differs", async () => {
    up = await project.up();
    await untilKept(1);
    install("2.0.0");
    assert.equal((await project.run("deploy", "--max-rung", "replace")).code, 0);
    const before = await up.ask();
    await untilKept(2);
    rmSync(path.join(project.directory, ".midflight/packages"), { recursive: true });
    const back = await project.run("rollback", "--json");
    const error = back.json["error"] as { code: string; why: string };
    assert.deepEqual([back.code, error.code], [3, "PACKAGES_GONE"], back.stdout);
    assert.match(error.why, /dep 1\.0\.0 → 2\.0\.0/);
    assert.deepEqual(await up.ask(), { ...before, total: before.total + 1 }, "the same process, with its memory");
    assert.equal((await project.run("status", "--json")).json["health"], "healthy");
  });
});

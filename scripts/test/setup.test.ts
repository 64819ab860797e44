import assert from "node:assert/strict";
import { type ChildProcess, spawn, spawnSync } from "node:child_process";
import { once } from "node:events";
import fs from "node:fs";
import os from "node:os";
import path from "node:path";
import { after, describe, test } from "node:test";
import { fileURLToPath, pathToFileURL } from "node:url";
import { nodeBinary, nodeMajors } from "../node-versions.mjs";

const repository = fileURLToPath(new URL("../..", import.meta.url));
const workshop = fs.mkdtempSync(path.join(os.tmpdir(), "midflight-setup-"));
after(() => fs.rmSync(workshop, { recursive: true, force: true }));

const lockModule = pathToFileURL(path.join(repository, "scripts/setup/lock.mjs")).href;
/** Appends a line on entering and on leaving the locked part, and stays inside for a moment. */
const enterAndLeave = `
import fs from "node:fs";
import { setTimeout as delay } from "node:timers/promises";
import { withLock } from ${JSON.stringify(lockModule)};
const [lock, log] = process.argv.slice(1);
await withLock(lock, async () => {
  fs.appendFileSync(log, "in " + process.pid + "\\n");
  await delay(20);
  fs.appendFileSync(log, "out " + process.pid + "\\n");
});`;

function startLocked(lock: string, log: string, source = enterAndLeave): ChildProcess {
  return spawn(process.execPath, ["--input-type=module", "--eval", source, lock, log], { stdio: ["ignore", "ignore", "inherit"] });
}

/** A repository small enough to break: it has the set-up scripts and one package without dependencies. */
function smallRepository(lock: object, dependency = { "no-such-thing": "1.0.0" } as Record<string, string>): string {
  const root = fs.mkdtempSync(path.join(workshop, "small-"));
  fs.cpSync(path.join(repository, "scripts"), path.join(root, "scripts"), { recursive: true });
  fs.writeFileSync(path.join(root, "package.json"), JSON.stringify({ name: "small", version: "1.0.0", dependencies: dependency }));
  fs.writeFileSync(path.join(root, "package-lock.json"), JSON.stringify(lock));
  return root;
}

describe("set-up", () => {
  test("two runs at once do not meet inside, also when an earlier one was killed", async () => {
    const lock = path.join(workshop, "a.lock");
    const log = path.join(workshop, "a.log");
    const killed = startLocked(lock, log, enterAndLeave.replace("delay(20)", "delay(60_000)"));
    while (!fs.existsSync(log)) await new Promise(setImmediate);
    killed.kill("SIGKILL");
    await once(killed, "exit");
    assert.ok(fs.existsSync(lock), "a killed process leaves its lock");
    fs.rmSync(log);

    const runs = Array.from({ length: 6 }, () => startLocked(lock, log));
    for (const code of await Promise.all(runs.map(async (run) => (await once(run, "exit"))[0]))) assert.equal(code, 0);

    const lines = fs.readFileSync(log, "utf8").trim().split("\n");
    assert.equal(lines.length, 12);
    for (let i = 0; i < lines.length; i += 2) assert.equal(lines[i]?.replace("in", "out"), lines[i + 1]);
    assert.deepEqual(fs.readdirSync(workshop).filter((name) => name.startsWith("a.lock")), []);
  });

  test("a registry that cannot be reached is told in four lines, and nothing is called installed", () => {
    const root = smallRepository({
      name: "small",
      version: "1.0.0",
      lockfileVersion: 3,
      packages: {
        "": { name: "small", version: "1.0.0", dependencies: { "no-such-thing": "1.0.0" } },
        "node_modules/no-such-thing": { version: "1.0.0", integrity: `sha512-${"A".repeat(86)}==` },
      },
    });
    const env = { ...process.env, npm_config_registry: "http://127.0.0.1:9/", npm_config_cache: path.join(root, "cache"), npm_config_fetch_retries: "0" };
    const { status, stderr } = spawnSync(process.execPath, ["scripts/setup.mjs"], { cwd: root, env, encoding: "utf8" });
    assert.equal(status, 1);
    assert.match(stderr, /✖ Could not install packages\n {2}why {3}the package registry cannot be reached\n {2}now .*\n {2}do .*npm ping/);
    assert.ok(!fs.existsSync(path.join(root, "node_modules/.midflight-setup")));
    assert.ok(!fs.existsSync(path.join(root, ".setup.lock")));
  });

  test("a lock file that does not fit package.json is told with its remedy", () => {
    const root = smallRepository({ name: "small", version: "1.0.0", lockfileVersion: 3, packages: { "": { name: "small", version: "1.0.0" } } }, { neighbour: "file:./neighbour" });
    fs.mkdirSync(path.join(root, "neighbour"));
    fs.writeFileSync(path.join(root, "neighbour/package.json"), JSON.stringify({ name: "neighbour", version: "1.0.0" }));
    const { status, stderr } = spawnSync(process.execPath, ["scripts/setup.mjs"], { cwd: root, encoding: "utf8" });
    assert.equal(status, 1);
    assert.match(stderr, /do not agree\n.*\n {2}do .*npm install/);
  });

  test("without npm on the PATH it says so", () => {
    const root = smallRepository({ name: "small", version: "1.0.0", lockfileVersion: 3, packages: {} });
    const { status, stderr } = spawnSync(process.execPath, ["scripts/setup.mjs"], { cwd: root, env: { PATH: root }, encoding: "utf8" });
    assert.equal(status, 1);
    assert.match(stderr, /✖ npm was not found/);
  });

  test("a test run without a test file fails", () => {
    const { status, stderr } = spawnSync(process.execPath, ["scripts/test.mjs", "no-file-is-called-so"], { cwd: repository, encoding: "utf8" });
    assert.equal(status, 1);
    assert.match(stderr, /no test file matches/);
  });

  test("every Node version that we promise is a real binary of that version", () => {
    for (const major of nodeMajors) {
      const { stdout } = spawnSync(nodeBinary(major), ["--version"], { encoding: "utf8" });
      assert.match(stdout, new RegExp(`^v${major}\\.`));
    }
    assert.throws(() => nodeBinary(18), /not one of/);
  });
});

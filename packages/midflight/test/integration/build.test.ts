import assert from "node:assert/strict";
import { existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import path from "node:path";
import { after, before, describe, test } from "node:test";
import { fileURLToPath } from "node:url";
import { startProcess, type StartedProcess } from "@midflight/testkit";
import { makeProject, type Project, type Up } from "../support/project.ts";
import { runHere } from "../support/run-here.ts";

const register = fileURLToPath(import.meta.resolve("@midflight/agent/register"));

interface Seen {
  readonly target: string;
  readonly pid: number;
  readonly state: string;
  readonly boot: string | null;
  readonly live: string | null;
}

describe("midflight build", () => {
  let project: Project;
  let up: Up;
  const images: StartedProcess[] = [];
  before(async () => {
    project = makeProject({ files: { "package-lock.json": '{ "name": "demo", "lockfileVersion": 3, "packages": {} }\n' } });
    up = await project.up();
  });
  after(async () => {
    for (const image of images) if (image.isAlive) await image.stop();
    if (up?.process.isAlive === true) await up.process.stop();
    project.remove();
  });

  const at = (...names: readonly string[]): string => path.join(project.directory, ...names);

  /** Starts a process as an image would: from its directory, with nothing of the project but the root of trust. */
  async function startImage(directory: string, target: string): Promise<{ readonly process: StartedProcess; ask(): Promise<{ says: string; pid: number }> }> {
    const { url } = JSON.parse(project.read(".midflight/control.json")) as { url: string };
    const { agent } = JSON.parse(project.read(".midflight/tokens.json")) as { agent: string };
    const env = {
      MIDFLIGHT_REGISTRY: url, MIDFLIGHT_TOKEN: agent, MIDFLIGHT_CHANNEL: "demo/development", MIDFLIGHT_SERVICE: "web", MIDFLIGHT_TARGET: target,
      MIDFLIGHT_ROOT: at(".midflight/root.json"), MIDFLIGHT_STATE: at("state-of", target), MIDFLIGHT_PROBATION_MS: "200", PORT: "0",
    };
    const started = await startProcess({ command: process.execPath, args: ["--conditions=@midflight/source", "--disable-warning=ExperimentalWarning", "--import", register, "src/server.js"], cwd: directory, env });
    images.push(started);
    const [, address = ""] = await started.waitForLine(/listening on (http:\S+)/);
    return { process: started, ask: async () => (await fetch(address, { headers: { connection: "close" } })).json() as never };
  }

  async function seen(target: string): Promise<Seen | undefined> {
    return ((await project.run("ps", "--json")).json["processes"] as Seen[]).find((one) => one.target === target);
  }

  /** A process says what it does when it has done it; until then it is asked again. */
  async function until(target: string, isThere: (one: Seen) => boolean): Promise<Seen> {
    for (let one = await seen(target); ; one = await seen(target)) if (one !== undefined && isThere(one)) return one;
  }

  test("what is live is built without another release, and a process started from it runs that, without the project's node_modules", async () => {
    const built = await project.run("build", "--out", "same", "--json");
    assert.deepEqual([built.code, built.json["outcome"], built.json["release"], built.json["live"], built.json["lockFile"]], [0, "known", "r1", "r1", "package-lock.json"], built.stdout);
    assert.equal(readFileSync(at("same/package-lock.json"), "utf8"), project.read("package-lock.json"));
    assert.equal(existsSync(at("same/node_modules")), false);
    const image = await startImage(at("same"), "same-1");
    const first = await until("same-1", ({ live }) => live !== null);
    const { says, pid } = await image.ask();
    assert.deepEqual([says, first.pid, first.boot, first.live], ["hello", pid, "r1", "r1"]);
    await image.process.stop();
  });

  test("a release that is not live is started from its directory, takes the way to the live one, and later deploys, in one process", async () => {
    const source = project.read("src/greeting.js");
    project.edit("src/greeting.js", '"hello"', '"from the image"');
    const built = await project.run("build", "--out", "image", "--meta", "image=web:7", "--json");
    assert.deepEqual([built.code, built.json["outcome"], built.json["release"], built.json["live"]], [0, "released", "r2", "r1"], built.stdout);
    assert.equal((await up.ask()).says, "hello", "nothing that runs has changed");
    const shown = (await project.run("show", "r2", "--json")).json;
    assert.deepEqual([shown["state"], (shown["provenance"] as { meta: unknown }).meta], ["published", { image: "web:7" }]);

    const image = await startImage(at("image"), "image-1");
    const arrived = await until("image-1", ({ live }) => live === "r1");
    const { says, pid } = await image.ask();
    assert.deepEqual([says, arrived.pid, arrived.boot], ["hello", pid, "r2"], "it came to what is live, from what it was built of");

    project.write("src/greeting.js", source.replace('"hello"', '"third"'));
    const deployed = await project.run("deploy", "--json");
    assert.deepEqual([deployed.code, deployed.json["release"], deployed.json["confirmed"]], [0, "r3", 2], deployed.stdout);
    assert.deepEqual(await image.ask().then((answer) => [answer.says, answer.pid]), ["third", pid]);
    assert.equal((await up.ask()).says, "third");

    const back = await project.run("deploy", "r2", "--json");
    assert.equal(back.code, 0, back.stdout);
    assert.deepEqual(await image.ask().then((answer) => [answer.says, answer.pid]), ["from the image", pid]);
    project.write("src/greeting.js", source);
  });

  test("a directory that holds something, is code or is not named is refused, before anything is published", async () => {
    const releases = async (): Promise<unknown> => (await project.run("releases", "--json")).json["total"];
    const before = await releases();
    project.edit("src/greeting.js", '"hello"', '"never"');
    mkdirSync(at("full"));
    writeFileSync(at("full/mine.txt"), "mine");
    for (const args of [["--out", "full"], ["--out", "full/mine.txt"], ["--out", "."], ["--out", "src/image"], ["--out", "src"], []]) {
      const ran = await runHere(["build", ...args, "--json"], { directory: project.directory });
      assert.deepEqual([ran.code, (JSON.parse(ran.out) as { error: { code: string } }).error.code], [2, "USAGE"], ran.out);
    }
    assert.equal(readFileSync(at("full/mine.txt"), "utf8"), "mine");
    assert.equal(existsSync(at("src/image")), false);
    assert.equal(await releases(), before);
  });

  test("people are told what was made, that nothing went live, and what to do next", async () => {
    const { code, stdout, stderr } = await project.run("build", "--out", "told");
    assert.equal(code, 0, stderr);
    assert.match(stdout, /Build {2}r\d in told: 4 files, 3 of them code[\s\S]*new release[\s\S]*r\d serves/);
    assert.match(stdout + stderr, /midflight deploy r\d/);
  });

  test("an image that is older than all that the registry keeps stays as it is: deploys are taken back and name it, until it ends", async () => {
    for (const image of images) if (image.isAlive) await image.stop();
    await up.process.stop();
    for (const file of ["registry.db", "registry.db-wal", "registry.db-shm"]) rmSync(at(".midflight", file), { force: true });
    up = await project.up();
    const image = await startImage(at("image"), "old-1");
    await until("old-1", ({ boot }) => boot !== null);
    project.edit("src/counter.js", "total = 0;", "total = 100;");
    const taken = await project.run("deploy", "--max-rung", "replace", "--json");
    assert.equal(taken.code, 5, taken.stdout);
    assert.match((taken.json["error"] as { why: string }).why, /old-1 refused: TRANSITION_MISSING/);
    assert.ok(up.process.stdout.lines.some((line) => line.includes("web-1 is replaced")), "those that control keeps are looked after all the same");
    assert.deepEqual([(await up.ask()).total, (await image.ask()).says], [1, "from the image"]);
    await image.process.stop();
    const deployed = await project.run("deploy", "--max-rung", "replace", "--json");
    assert.deepEqual([deployed.code, (await up.ask()).total], [0, 101], deployed.stdout);
  });

  test("without a running control it says so and makes nothing", async () => {
    const other = makeProject();
    try {
      const ran = await other.run("build", "--out", "image", "--json");
      assert.deepEqual([ran.code, (ran.json["error"] as { code: string }).code], [1, "CONTROL_NOT_RUNNING"]);
      assert.equal(existsSync(path.join(other.directory, "image")), false);
    } finally {
      other.remove();
    }
  });
});

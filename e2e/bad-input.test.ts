import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { appendFileSync, mkdirSync, readdirSync, renameSync, rmSync, statfsSync, writeFileSync } from "node:fs";
import path from "node:path";
import { after, before, describe, test } from "node:test";
import { createServer } from "node:net";
import { guardAgainstLeaks } from "@midflight/testkit";
import { makeProject } from "../packages/midflight/test/support/project.ts";
import { Desk, expectFourLines, greeting, tellsInFourLines } from "./bad-input/desk.ts";

/** As a bundler leaves it: one long line. */
const minified = (answer: number): string => `export const m=(e)=>e+${answer}-${answer}+1;${Array.from({ length: 120 }, (_, i) => `function a${i}(n){return n*${i}+a${(i + 1) % 120}(n-1)}`).join("")}\n`;

/** A disk of 16 MB in a folder's place; false where that is not allowed. */
function mountSmall(directory: string): boolean {
  try {
    execFileSync("mount", ["-t", "tmpfs", "-o", "size=16m", "tmpfs", directory], { stdio: "ignore" });
    return true;
  } catch {
    return false;
  }
}

/** Makes `growing.js` grow with each look that a command takes at it. */
const growWhenRead = ["--import", new URL("./bad-input/grow-when-read.mjs", import.meta.url).href];

/** Uses what is minified. */
const counter = 'import { m } from "./vendor.js";\nexport class Counter {\n  total = 0;\n  add() {\n    this.total += m(0);\n  }\n}\n';

describe("a deploy of code that must not go live", () => {
  let desk: Desk;
  const at = (file: string): string => path.join(desk.project.directory, file);
  before(async () => {
    desk = await Desk.open({ files: { "src/vendor.js": minified(1), "src/counter.js": counter }, nodeArgs: growWhenRead });
  });
  after(() => desk?.close());

  test("a syntax error is told with its place", async () => {
    desk.project.write("src/greeting.js", "export function greet() {\n  return 'hel;\n}\n");
    assert.match(await desk.refuses(["deploy"], "UNIT_SYNTAX", 3), /src\/greeting\.js:2:\d+/);
    desk.project.write("src/greeting.js", greeting("hello"));
  });

  test("a file that is no JavaScript at all is told like a syntax error", async () => {
    writeFileSync(at("src/picture.js"), Buffer.from([0x89, 0x50, 0x4e, 0x47, 0x0d, 0x0a, 0x1a, 0x0a, 0x00, 0xff]));
    assert.match(await desk.refuses(["deploy"], "UNIT_SYNTAX", 3), /src\/picture\.js:1/);
    rmSync(at("src/picture.js"));
  });

  test("a minified file that changed needs a new process, and says that it is for its being minified", async () => {
    desk.project.write("src/vendor.js", minified(2));
    assert.match(await desk.refuses(["deploy"], "REPLACE_NEEDED", 3), /src\/vendor\.js[\s\S]*minified/);
    desk.project.write("src/vendor.js", minified(1));
  });

  test("a deleted entry file is told by name", async () => {
    renameSync(at("src/server.js"), at("kept.js"));
    assert.match(await desk.refuses(["deploy"], "ENTRY_MISSING", 3), /src\/server\.js/);
    renameSync(at("kept.js"), at("src/server.js"));
  });

  test("a file that grows while it is read is waited for, and then told", async () => {
    desk.project.write("src/growing.js", "export const a = 1;\n");
    assert.match(await desk.refuses(["deploy"], "BUILD_UNSETTLED", 3), /src\/growing\.js/);
    rmSync(at("src/growing.js"));
  });

  test("an initialiser that throws when the agent evaluates it is taken back, and the old code never stopped", async () => {
    const before = await desk.up.ask();
    desk.project.write("src/greeting.js", `const pattern = new RegExp("(");\n${greeting("never").replace("return", "if (pattern.test(''))\n  return")}`);
    const ran = await desk.project.run("deploy");
    expectFourLines(ran.stderr, "OVERLAY_FAILED");
    assert.equal(ran.code, 4, ran.stderr);
    const now = await desk.up.ask();
    assert.deepEqual([now.says, now.pid, now.total], [before.says, before.pid, before.total + 1]);
    const status = (await desk.project.run("status", "--json")).json;
    assert.equal(status["health"], "healthy", JSON.stringify(status));
    desk.project.write("src/greeting.js", greeting("hello"));
  });

  for (const [what, said] of [["a small blob, which the append encloses", ""], ["a large one, which goes in a pack before it", "// padding\n".repeat(30_000)]] as const) {
    test(`what was changed on its way is refused by its digest: ${what}`, async () => {
      desk.project.write("src/greeting.js", `${greeting("tampered")}\n${said}`);
      let flipped = 0;
      const flip = (place: string, bytes: Buffer): Buffer => {
        const changed = said === "" ? flipEnclosed(bytes) : place.startsWith("/v1/blobs") ? flipLast(bytes) : null;
        if (changed !== null) flipped += 1;
        return changed ?? bytes;
      };
      await desk.meddle({ body: flip }, async () => {
        const [logBefore, before] = [await desk.project.run("releases", "--json"), await desk.up.ask()];
        const ran = await desk.project.run("deploy");
        expectFourLines(ran.stderr, "ARTIFACT_DIGEST_MISMATCH");
        assert.equal(ran.code, 3);
        assert.ok(flipped > 0);
        assert.deepEqual((await desk.project.run("releases", "--json")).json, logBefore.json);
        assert.equal((await desk.up.ask()).says, before.says);
      });
      await desk.deploys("tampered");
      desk.project.write("src/greeting.js", greeting("not tampered"));
      await desk.deploys("not tampered");
    });
  }

  test("of two deploys at the same time one goes live after the other, or is told; the log is whole", async () => {
    const before = (await desk.log()).length;
    desk.project.write("src/greeting.js", greeting("both"));
    const both = await Promise.all([desk.project.run("deploy"), desk.project.run("deploy")]);
    for (const ran of both) if (ran.code !== 0) assert.match(ran.stderr, /✖ (PLAN_STALE|CHANNEL_HEAD_MOVED)/);
    assert.ok(both.some(({ code }) => code === 0));
    assert.equal((await desk.up.ask()).says, "both");
    const releases = (await desk.log()).slice(before).filter(({ kind }) => kind === "release");
    assert.equal(releases.length, 1, "the same code is one release");
  });

  test("a second up, watching or not, is told who is there", async () => {
    await desk.refuses(["up"], "CONTROL_ALREADY_RUNNING", 3);
    await desk.refuses(["up", "--watch"], "CONTROL_ALREADY_RUNNING", 3);
  });

  for (const moment of ["before", "after"] as const) {
    test(`a registry that is killed ${moment} it has taken a release: the deploy says so, the app serves on, and nothing is lost`, async () => {
      const before = await desk.up.ask();
      const says = `killed ${moment}`;
      desk.project.write("src/greeting.js", greeting(says));
      const kill = async (place: string, when: string): Promise<void> => {
        if (place.startsWith("/v1/append") && when === moment && desk.up.process.isAlive) await desk.up.process.kill();
      };
      await desk.meddle({ at: kill }, async () => {
        const ran = await desk.project.run("deploy");
        expectFourLines(ran.stderr, "REGISTRY_UNREACHABLE");
        assert.equal(ran.code, 1);
        const answer = await desk.up.ask();
        assert.equal(answer.pid, before.pid, "the app does not need a registry to serve");
        assert.ok([before.says, says].includes(answer.says));
      });
      desk.up = await desk.project.up();
      await desk.deploys(says);
      const releases = (await desk.log()).filter(({ kind }) => kind === "release");
      assert.equal(new Set(releases.map(({ id }) => id)).size, releases.length);
      assert.equal((await desk.up.ask()).pid, before.pid, "still the process of before");
    });
  }
});

describe("up --watch, beside a build that goes wrong", () => {
  let desk: Desk;
  const at = (file: string): string => path.join(desk.project.directory, file);
  before(async () => {
    desk = await Desk.open({ nodeArgs: growWhenRead }, "--watch");
  });
  after(() => desk?.close());

  test("each fault is told in four lines, nothing of it goes live, and the next whole tree does", async () => {
    const { process } = desk.up;
    const first = await desk.up.ask();
    const good = desk.project.read("src/server.js");
    const faults: readonly [code: string, spoil: () => void, mend: () => void][] = [
      ["UNIT_SYNTAX", () => desk.project.write("src/greeting.js", "export function greet( {\n"), () => desk.project.write("src/greeting.js", greeting("hello"))],
      ["BUILD_UNRESOLVED_IMPORT", () => desk.project.write("src/server.js", good.replace("./counter.js", "./count.js")), () => desk.project.write("src/server.js", good)],
      ["ENTRY_MISSING", () => renameSync(at("src/server.js"), at("kept.js")), () => renameSync(at("kept.js"), at("src/server.js"))],
    ];
    for (const [code, spoil, mend] of faults) {
      spoil();
      await tellsInFourLines(process, code);
      assert.equal((await desk.up.ask()).says, "hello", code);
      mend();
    }
    desk.project.write("src/greeting.js", greeting("whole again"));
    await process.waitForLine(/✔ web-1 runs r2/);
    const last = await desk.up.ask();
    assert.deepEqual([last.says, last.pid], ["whole again", first.pid]);
  });

  test("a file that never rests is told, and goes live once it does", async () => {
    desk.project.write("src/growing.js", "export const a = 1;\n");
    await tellsInFourLines(desk.up.process, "BUILD_UNSETTLED");
    assert.equal((await desk.up.ask()).says, "whole again");
    appendFileSync(at("src/growing.js"), "// at rest\n");
    desk.project.write("src/greeting.js", greeting("at rest"));
    await desk.untilSays("at rest");
  });
});

describe("a machine that has no more to give", () => {
  guardAgainstLeaks();

  test("a full disk: the deploy says so, the app serves on, and with room again the same deploy goes live", async () => {
    const project = makeProject();
    const state = path.join(project.directory, ".midflight");
    mkdirSync(state);
    const isSmall = mountSmall(state);
    const desk = await Desk.at(project);
    try {
      const before = await desk.up.ask();
      project.write("src/greeting.js", `${greeting("big")}${"// more and more and more\n".repeat(40_000)}`);
      const ballast = path.join(state, "ballast");
      const { bavail, bsize } = statfsSync(state);
      if (isSmall) writeFileSync(ballast, Buffer.alloc(bavail * bsize - 64 * 1024));
      // Who may not mount a disk meets a registry that says what it would say.
      const full = { status: 507, json: { error: { code: "DISK_FULL", what: "The disk is full.", why: "No space.", state: "Nothing was kept.", fix: ["Make room."] } } };
      await desk.meddle({ answer: (place) => (!isSmall && place.startsWith("/v1/blobs") ? full : null) }, async () => {
        const ran = await project.run("deploy");
        expectFourLines(ran.stderr, "DISK_FULL");
        assert.equal(ran.code, 1, ran.stderr);
        const now = await desk.up.ask();
        assert.deepEqual([now.says, now.pid], [before.says, before.pid]);
        if (isSmall) rmSync(ballast);
      });
      await desk.deploys("big");
      assert.equal((await desk.up.ask()).pid, before.pid);
      assert.deepEqual(readdirSync(path.join(state, "releases")).filter((name) => name.endsWith(".building")), []);
      await desk.up.process.stop();
    } finally {
      if (isSmall) execFileSync("umount", ["-l", state]);
      await desk.close();
    }
  });

  test("a port that somebody else has: up says which, and starts nothing", async () => {
    const other = createServer();
    await new Promise<void>((resolve) => other.listen(0, "127.0.0.1", resolve));
    const { port } = other.address() as { port: number };
    const project = makeProject();
    try {
      project.edit("midflight.config.mjs", 'app: "demo",', `app: "demo", port: ${port},`);
      const ran = await project.run("up");
      expectFourLines(ran.stderr, "PORT_IN_USE");
      assert.match(ran.stderr, new RegExp(String(port)));
      assert.equal(ran.code, 1);
    } finally {
      other.close();
      project.remove();
    }
  });
});

function flipLast(bytes: Buffer): Buffer {
  const changed = Buffer.from(bytes);
  changed[changed.length - 1]! ^= 0xff;
  return changed;
}

/** Null if the request encloses nothing. */
function flipEnclosed(bytes: Buffer): Buffer | null {
  const text = bytes.toString();
  if (!text.includes('"enclosed":[')) return null;
  const request = JSON.parse(text) as { enclosed: { bytes: string }[] };
  const [blob] = request.enclosed;
  blob!.bytes = flipLast(Buffer.from(blob!.bytes, "base64")).toString("base64");
  return Buffer.from(JSON.stringify(request));
}

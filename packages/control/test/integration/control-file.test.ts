import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import os from "node:os";
import path from "node:path";
import { after, describe, test } from "node:test";
import { fileURLToPath } from "node:url";
import { startProcess } from "@midflight/testkit";
import { readRunningControl, takeHold } from "../../src/project/control-file.ts";
import { layoutOf } from "../../src/project/layout.ts";
import { createDurably, identify, isRunning, readIfThere, writeDurably } from "@midflight/supervisor";

const directory = mkdtempSync(path.join(os.tmpdir(), "midflight-hold-"));
after(() => rmSync(directory, { recursive: true, force: true }));
const layout = layoutOf(directory);
mkdirSync(layout.root, { recursive: true });

describe("holding a project", () => {
  test("one holds it, a second is refused, and after the release the next may", () => {
    const hold = takeHold(layout);
    assert.throws(() => takeHold(layout), /CONTROL_ALREADY_RUNNING/);
    assert.equal(readRunningControl(layout)?.pid, process.pid);
    hold.publish("http://127.0.0.1:1");
    assert.equal(readRunningControl(layout)?.url, "http://127.0.0.1:1");
    hold.release();
    assert.equal(readRunningControl(layout), null);
    takeHold(layout).release();
  });

  test("what a dead control left is taken over, also when a later process has its number", () => {
    for (const left of [{ pid: process.pid, startedAs: "of another life" }, { pid: 2 ** 22 - 3, startedAs: "x" }]) {
      writeFileSync(layout.control, JSON.stringify({ ...left, url: null, startedAt: "" }));
      takeHold(layout).release();
    }
    writeFileSync(layout.control, "not json");
    takeHold(layout).release();
  });

  test("of many that find the same stale file at once, exactly one wins", async () => {
    const source = fileURLToPath(new URL("../../src/project/", import.meta.url));
    const script = `import { takeHold } from ${JSON.stringify(`${source}control-file.ts`)}; import { layoutOf } from ${JSON.stringify(`${source}layout.ts`)};
      try { takeHold(layoutOf(process.argv[1])); console.log("won"); } catch (error) { console.log(error.code ?? String(error)); } setInterval(() => {}, 1000);`;
    for (let round = 0; round < 3; round++) {
      writeFileSync(layout.control, JSON.stringify({ pid: 2 ** 22 - 3, startedAs: "x", url: null, startedAt: "" }));
      const all = await Promise.all(Array.from({ length: 4 }, () => startProcess({ command: process.execPath, args: ["--conditions=@midflight/source", "--input-type=module", "-e", script, directory] })));
      const said = await Promise.all(all.map(async (one) => (await one.waitForLine(/won|CONTROL_ALREADY_RUNNING/))[0]));
      await Promise.all(all.map((one) => one.kill()));
      assert.equal(said.filter((one) => one === "won").length, 1, said.join());
    }
    rmSync(layout.control, { force: true });
  });
});

describe("a process's identity", () => {
  test("holds while it runs, and not for a dead or another process", async () => {
    const child = spawn("sleep", ["30"]);
    const identity = identify(child.pid!);
    assert.ok(identity !== null && isRunning(identity));
    assert.equal(isRunning({ ...identity, startedAs: `${identity.startedAs}0` }), false);
    const exited = new Promise((resolve) => child.once("exit", resolve));
    child.kill("SIGKILL");
    await exited;
    assert.equal(isRunning(identity), false);
    assert.equal(identify(2 ** 22 - 3), null);
  });
});

describe("files that must not be lost", () => {
  test("are made once: the second maker is told, and what is there stays", () => {
    const file = path.join(directory, "a/b/key");
    assert.equal(createDurably(file, "one", 0o600), true);
    assert.equal(createDurably(file, "two", 0o600), false);
    assert.equal(readIfThere(file), "one");
  });

  test("are replaced as a whole", () => {
    const file = path.join(directory, "state.json");
    writeDurably(file, "old");
    writeDurably(file, "new");
    assert.equal(readIfThere(file), "new");
  });

  test("that cannot be written are an error with the file's name", () => {
    writeFileSync(path.join(directory, "plain"), "");
    assert.throws(() => writeDurably(path.join(directory, "plain/file"), "x"), /plain\/file cannot be written.*FILE_UNREADABLE/);
  });
});

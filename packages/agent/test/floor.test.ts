import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync, writeFileSync, mkdirSync, readdirSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { afterEach, beforeEach, describe, test } from "node:test";
import { isMidflightError, type Assign } from "@midflight/protocol";
import { sha256 } from "@midflight/trust";
import { openFloor } from "../src/floor.ts";

const assign = (epoch: number, counter: number, change: Partial<Assign> = {}): Assign => ({
  channel: "shop/test", epoch, counter, release: sha256(`r${counter}`), number: counter, targets: { kind: "all" }, revertTo: [], cause: "deploy", by: "test", why: null,
  issuedAt: "2026-01-01T00:00:00.000Z", expiresAt: null, ...change,
});

describe("the counter floor", () => {
  let directory: string;
  let file: string;
  beforeEach(() => {
    directory = mkdtempSync(path.join(tmpdir(), "midflight-floor-"));
    file = path.join(directory, "deep/web-1.json");
  });
  afterEach(() => rmSync(directory, { recursive: true, force: true }));

  test("begins at nothing, is on disk when raise settles, and is found again", async () => {
    const { floor, isDamaged } = await openFloor({ file, isKept: true });
    assert.equal(isDamaged, false);
    assert.equal(floor.state.counter, 0);
    await floor.raise(assign(1, 7));
    assert.equal((JSON.parse(readFileSync(file, "utf8")) as { counter: number }).counter, 7);
    const again = await openFloor({ file, isKept: true });
    assert.deepEqual(again.floor.state, floor.state);
    assert.equal(again.floor.state.release, sha256("r7"));
    assert.equal(again.floor.state.issuedAtMs, Date.parse("2026-01-01"));
  });

  test("never sinks", async () => {
    const { floor } = await openFloor({ file, isKept: true });
    await floor.raise(assign(2, 7));
    await floor.raise(assign(2, 6));
    await floor.raise(assign(1, 99));
    assert.equal(floor.state.counter, 7);
    assert.equal(floor.state.epoch, 2);
  });

  test("keeps the newest state when writes overlap, and leaves no temporary file", async () => {
    const { floor } = await openFloor({ file, isKept: true });
    await Promise.all(Array.from({ length: 20 }, (_, i) => floor.raise(assign(1, i + 1))));
    assert.equal((await openFloor({ file, isKept: true })).floor.state.counter, 20);
    assert.deepEqual(readdirSync(path.dirname(file)), ["web-1.json"]);
  });

  test("counts as nothing when its file is damaged, and tells of it", async () => {
    mkdirSync(path.dirname(file), { recursive: true });
    for (const text of ["", "{", "null", '{"epoch":-1}', '{"epoch":1,"counter":1,"release":"x","issuedAtMs":0,"reverted":[]}']) {
      writeFileSync(file, text);
      const { floor, isDamaged } = await openFloor({ file, isKept: true });
      assert.equal(isDamaged, true, text);
      assert.equal(floor.state.counter, 0);
    }
  });

  test("holds what was written before a line that a crash cut off, and what is written after it", async () => {
    const { floor } = await openFloor({ file, isKept: true });
    await floor.raise(assign(1, 3));
    await floor.raise(assign(1, 4));
    const whole = readFileSync(file, "utf8");
    for (let cut = 1; cut < 60; cut++) {
      writeFileSync(file, whole.slice(0, -cut));
      const again = await openFloor({ file, isKept: true });
      assert.equal(again.isDamaged, false);
      assert.equal(again.floor.state.counter, 3, `${cut} characters are missing`);
      await again.floor.raise(assign(1, 5));
      assert.equal((await openFloor({ file, isKept: true })).floor.state.counter, 5);
    }
  });

  test("does not sink when another process of the target, which is on its way out, writes after it", async () => {
    const [old, next] = [await openFloor({ file, isKept: true }), await openFloor({ file, isKept: true })];
    await next.floor.raise(assign(1, 9));
    await old.floor.raise(assign(1, 2));
    assert.equal((await openFloor({ file, isKept: true })).floor.state.counter, 9);
  });

  test("does not sink when another process of the target dies, or writes the whole file, after it", async () => {
    const [old, next] = [await openFloor({ file, isKept: true }), await openFloor({ file, isKept: true })];
    await next.floor.raise(assign(1, 9));
    await old.floor.raise(assign(1, 2));
    old.floor.addRevertedNow(sha256("r2"), "it failed");
    const { state } = (await openFloor({ file, isKept: true })).floor;
    assert.deepEqual([state.counter, state.reverted], [9, [{ release: sha256("r2"), reason: "it failed" }]]);
    // Until its file has to be written anew.
    for (let i = 0; i < 40; i++) await old.floor.addReverted(sha256(`${i}`), "x".repeat(1_000));
    assert.equal((await openFloor({ file, isKept: true })).floor.state.counter, 9);
  });

  test("says that it was not written where the disk takes a part of a line", { skip: process.platform === "win32" }, () => {
    const floorFile = new URL("../src/floor.ts", import.meta.url).href;
    const code = `
      const { openFloor } = await import(${JSON.stringify(floorFile)});
      const options = { file: ${JSON.stringify(file)}, isKept: true };
      const { floor } = await openFloor(options);
      const assign = (counter) => ({ epoch: 1, counter, release: "sha256:" + "a".repeat(64), issuedAt: "2026-01-01T00:00:00.000Z" });
      let counter = 1;
      for (; ; counter++) if (!(await floor.raise(assign(counter)).then(() => true, () => false))) break;
      console.log(JSON.stringify([counter, (await openFloor(options)).floor.state.counter]));`;
    // A limit of the file's size ends a write in the middle, as a full disk does.
    const { stdout, stderr } = spawnSync("sh", ["-c", 'ulimit -f 3; exec "$@"', "sh", process.execPath, "--no-warnings", "--conditions=@midflight/source", "--input-type=module", "-e", code], { encoding: "utf8" });
    assert.notEqual(stdout, "", stderr);
    const [refused, found] = JSON.parse(stdout) as [number, number];
    assert.ok(refused > 3, `${refused}`);
    assert.equal(found, refused - 1);
  });

  test("does not let its file grow without bound, nor lose it when somebody removes it", async () => {
    const { floor } = await openFloor({ file, isKept: true });
    let largest = 0;
    for (let i = 1; i <= 30; i++) {
      await floor.addReverted(sha256(`${i}`), "x".repeat(1_000));
      largest = Math.max(largest, readFileSync(file).length);
    }
    assert.ok(largest > 32 << 10 && largest <= 64 << 10, `${largest}`);
    rmSync(file);
    await floor.raise(assign(1, 1));
    const { state } = (await openFloor({ file, isKept: true })).floor;
    assert.deepEqual([state.counter, state.reverted.length], [1, 20]);
  });

  test("of a thread or child reads the owner's file and writes nothing", async () => {
    await (await openFloor({ file, isKept: true })).floor.raise(assign(1, 3));
    const before = readFileSync(file, "utf8");
    const { floor } = await openFloor({ file, isKept: false });
    await floor.raise(assign(1, 9));
    floor.addRevertedNow(sha256("r9"), "why");
    assert.equal(floor.state.counter, 9);
    assert.equal(readFileSync(file, "utf8"), before);
  });

  test("remembers reverted releases, a bounded number of them, until they are forgotten", async () => {
    const { floor } = await openFloor({ file, isKept: true });
    for (let i = 0; i < 30; i++) await floor.addReverted(sha256(String(i)), "x".repeat(5000));
    assert.equal(floor.state.reverted.length, 20);
    assert.equal(floor.findReverted(sha256("29"))?.reason.length, 1000);
    assert.equal(floor.findReverted(sha256("0")), null);
    await floor.forgetReverted(sha256("29"));
    assert.equal((await openFloor({ file, isKept: true })).floor.findReverted(sha256("29")), null);
  });

  test("says so when it cannot be written", async () => {
    writeFileSync(path.join(directory, "file"), "");
    const { floor } = await openFloor({ file: path.join(directory, "file/web.json"), isKept: true });
    await assert.rejects(floor.raise(assign(1, 1)), (e) => isMidflightError(e) && e.code === "FILE_UNREADABLE");
  });
});

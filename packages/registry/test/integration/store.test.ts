import assert from "node:assert/strict";
import { copyFileSync, existsSync, statSync } from "node:fs";
import { copyFile, mkdtemp, readFile, rm, stat, truncate, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import path from "node:path";
import { DatabaseSync } from "node:sqlite";
import { test, type TestContext } from "node:test";
import { setImmediate, setTimeout } from "node:timers/promises";
import { isMidflightError, type ErrorCode, type Registry } from "@midflight/protocol";
import { openRegistry, type OpenRegistryOptions } from "@midflight/registry";
import { createFixture, readAll } from "@midflight/registry/conformance";
import { createTestClock } from "../test-clock.ts";

async function createFile(t: TestContext): Promise<string> {
  const directory = await mkdtemp(path.join(tmpdir(), "midflight-store-"));
  t.after(() => rm(directory, { recursive: true }));
  return path.join(directory, "registry.db");
}

function open(t: TestContext, options: OpenRegistryOptions): Registry {
  const registry = openRegistry(options);
  t.after(() => registry.close());
  return registry;
}

const refusesToOpen = (path: string, code: ErrorCode): void => {
  assert.throws(() => openRegistry({ path }), (error: unknown) => {
    assert.ok(isMidflightError(error), String(error));
    assert.equal(error.code, code);
    return true;
  });
};

/** A closed store with three releases in it. */
async function createStore(t: TestContext): Promise<{ file: string; channel: string }> {
  const file = await createFile(t);
  const f = createFixture();
  const registry = openRegistry({ path: file });
  for (let i = 1; i <= 3; i++) await f.publish(registry, i, `v${i}`);
  await registry.close();
  return { file, channel: f.channel };
}

/** Changes the file as nobody should. */
function tamper(file: string, sql: string): void {
  const db = new DatabaseSync(file);
  db.exec("DROP TRIGGER entries_append_only");
  db.exec(sql);
  db.close();
}

test("a full disk keeps nothing of a write and all that was acknowledged, and writes go on when there is room", async (t) => {
  const path = await createFile(t);
  const f = createFixture();
  const small = openRegistry({ path, maxBytes: 400_000 });
  const first = await f.publish(small, 1, "v1");
  const before = await readAll(small, f.channel);
  const large = f.blobs("x".repeat(150_000), "y".repeat(150_000), "z".repeat(150_000));
  const isFull = (error: unknown): boolean => isMidflightError(error) && error.code === "DISK_FULL" && error.facts.retryable === true && error.facts.state !== undefined;
  await assert.rejects(small.putBlobs(large), isFull);
  assert.deepEqual(await small.missing(large.map((b) => b.digest)), large.map((b) => b.digest));

  // Fill it to the last page, then try to append.
  for (let i = 0, size = 64_000; size >= 500; i++) {
    try {
      await small.putBlobs(f.blobs(`${i}`.padEnd(size, ".")));
    } catch (error) {
      assert.ok(isFull(error));
      size = Math.floor(size / 2);
    }
  }
  const many = Array.from({ length: 100 }, (_, i) => f.transition(f.blobs(`${i}`)[0]?.digest ?? assert.fail(), first.release));
  await assert.rejects(small.append({ channel: f.channel, expect: first.assign, entries: [...many, f.assign(first.release)], needs: [] }), isFull);
  await assert.rejects(small.report(Array.from({ length: 200 }, (_, i) => f.report(`${i}`))), isFull);
  assert.deepEqual(await readAll(small, f.channel), before);
  assert.equal((await small.head(f.channel))?.id, first.assign);
  assert.deepEqual(await small.reports({ channel: f.channel }), []);
  await small.close();

  const roomy = open(t, { path });
  assert.deepEqual(await readAll(roomy, f.channel), before);
  await f.publish(roomy, 2, "v2");
  await roomy.putBlobs(large);
});

test("a file that is no database is told as damaged, and left as it is", async (t) => {
  const file = await createFile(t);
  const content = Buffer.from("not a database, but somebody's precious text ".repeat(100));
  await writeFile(file, content);
  refusesToOpen(file, "REGISTRY_STORE_DAMAGED");
  assert.ok(content.equals(await readFile(file)));
});

test("a file that was cut off or overwritten in places is told as damaged, and never served as if it were whole", async (t) => {
  const { file, channel } = await createStore(t);
  const whole = await readFile(file);
  const sound = openRegistry({ path: file });
  const expected = await readAll(sound, channel);
  await sound.close();
  const copy = `${file}.copy`;
  let refused = 0;
  for (let page = 0; page < whole.length / 4096; page++) {
    const changed = Buffer.from(whole);
    changed.fill(0xa5, page * 4096, (page + 1) * 4096);
    await writeFile(copy, changed);
    try {
      const registry = openRegistry({ path: copy });
      try {
        // A page that the log does not need: what is read of the log is right, whatever else is gone.
        assert.deepEqual(await readAll(registry, channel), expected, `page ${page}`);
      } finally {
        await registry.close();
      }
    } catch (error) {
      if (!isMidflightError(error)) throw error;
      assert.equal(error.code, "REGISTRY_STORE_DAMAGED", `page ${page}: ${error.message}`);
      refused++;
    }
    for (const end of ["-wal", "-shm"]) await rm(copy + end, { force: true });
  }
  assert.ok(refused >= 5, `${refused} refused`);
  await copyFile(file, copy);
  await truncate(copy, whole.length - 4096 * 3);
  refusesToOpen(copy, "REGISTRY_STORE_DAMAGED");
});

test("a log that lost or changed an entry is told as damaged", async (t) => {
  const changes = [
    "DELETE FROM entries WHERE seq = 6",
    "DELETE FROM entries WHERE seq = 2",
    "DELETE FROM entries",
    "UPDATE entries SET envelope = replace(envelope, 'a', 'b') WHERE seq = 4",
    "UPDATE entries SET id = (SELECT id FROM entries WHERE seq = 1) WHERE seq = 5",
    "UPDATE entries SET seq = 70 WHERE seq = 6",
    "DELETE FROM entries WHERE seq = 6; UPDATE channels SET last_seq = 5, head_seq = 4",
  ];
  for (const sql of changes) {
    const { file } = await createStore(t);
    tamper(file, sql);
    refusesToOpen(file, "REGISTRY_STORE_DAMAGED");
  }
});

test("the log refuses a change by whoever has the file open", async (t) => {
  const { file } = await createStore(t);
  const db = new DatabaseSync(file);
  assert.throws(() => db.exec("UPDATE entries SET at = 'never'"), /append-only/);
  db.close();
});

test("a store that retention has swept is sound when it is opened again", async (t) => {
  const clock = createTestClock();
  const file = await createFile(t);
  const f = createFixture();
  const first = openRegistry({ path: file, clock });
  const old = await f.publish(first, 1, "v1");
  for (let i = 2; i <= 6; i++) await f.publish(first, i, `v${i}`, { revertTo: [old.release] });
  clock.advance(10 * 60 * 60_000);
  assert.ok((await first.retain({ keepReleases: 2 })).removedEntries > 0);
  const left = await readAll(first, f.channel);
  assert.equal((await first.entry(old.release))?.cursor.seq, 1); // kept before a hole
  await first.close();
  const again = open(t, { path: file, clock });
  assert.deepEqual(await readAll(again, f.channel), left);
  await f.publish(again, 7, "v7");
});

test("what ran before the registry was opened again is not swept until its processes had time to speak", async (t) => {
  const clock = createTestClock();
  const file = await createFile(t);
  const f = createFixture();
  const first = openRegistry({ path: file, clock });
  const { release } = await f.publish(first, 1, "v1");
  for (let i = 2; i <= 4; i++) await f.publish(first, i, `v${i}`);
  await first.beat(f.beat({ boot: release, live: release }), 15_000);
  await first.close();
  clock.advance(10 * 60 * 60_000);
  const again = open(t, { path: file, clock });
  assert.deepEqual(await again.presence(f.channel), []); // whether it still runs is not known
  await again.retain({ keepReleases: 1 });
  assert.equal((await again.entry(release))?.id, release);
  clock.advance(11 * 60_000);
  await again.retain({ keepReleases: 1 });
  assert.equal(await again.entry(release), null);
});

test("a blob that an append relies on is not taken by a sweep that began before it", async (t) => {
  const clock = createTestClock();
  const registry = open(t, { path: await createFile(t), clock });
  const f = createFixture();
  await registry.putBlobs(f.blobs(...Array.from({ length: 1_000 }, (_, i) => `garbage ${i}`)));
  const old = await f.publish(registry, 1, "v1");
  for (let i = 2; i <= 4; i++) await f.publish(registry, i, `v${i}`);
  clock.advance(10 * 60 * 60_000);
  const sweeping = registry.retain({ keepReleases: 1 });
  await setImmediate(); // the first slice is gone: garbage
  // The sweep deletes in slices; between two of them somebody asks for the old release's blobs, and relies on the answer.
  const missing = await registry.missing(old.blobs.map((b) => b.digest));
  const rollback = f.assign(old.release, { cause: "rollback" });
  assert.deepEqual(missing, []);
  const result = await registry.append({
    channel: f.channel, expect: (await registry.head(f.channel))?.id ?? null, entries: [rollback], needs: old.blobs.map((b) => b.digest),
  });
  assert.equal(result.kind, "appended");
  assert.ok((await sweeping).removedBlobs >= 1_000);
  assert.deepEqual(await registry.missing(old.blobs.map((b) => b.digest)), []);
});

test("a process that comes while a sweep is being planned keeps its release", async (t) => {
  const clock = createTestClock();
  const registry = open(t, { path: await createFile(t), clock });
  const f = createFixture();
  const old = await f.publish(registry, 1, "v1");
  // Enough to look at that the plan is made in several slices.
  const large = f.release(2, ...Array.from({ length: 3_000 }, (_, i) => `unit ${i}`));
  await registry.putBlobs(large.blobs);
  await registry.append({ channel: f.channel, expect: old.assign, entries: [large.entry, f.assign(large.id)], needs: [] });
  clock.advance(10 * 60 * 60_000);
  const sweeping = registry.retain({ keepReleases: 1 });
  await setImmediate();
  await registry.beat(f.beat({ boot: old.release, live: old.release }), 15_000);
  assert.equal((await sweeping).removedEntries, 1); // its assign alone
  assert.equal((await registry.entry(old.release))?.id, old.release);
  assert.deepEqual(await registry.missing(old.blobs.map((b) => b.digest)), []);
});

test("a store of a newer format is refused and left as it is", async (t) => {
  const { file } = await createStore(t);
  const db = new DatabaseSync(file);
  db.exec("PRAGMA user_version = 2");
  db.close();
  refusesToOpen(file, "REGISTRY_REFUSED");
});

test("a directory that is not there is told by its code", async (t) => {
  refusesToOpen(path.join(path.dirname(await createFile(t)), "missing", "registry.db"), "FILE_UNREADABLE");
});

test("a file that another process is writing is told so, and the write is kept out whole", { timeout: 60_000 }, async (t) => {
  const { file, channel } = await createStore(t);
  const registry = open(t, { path: file });
  const other = new DatabaseSync(file);
  other.exec("BEGIN IMMEDIATE");
  const f = createFixture();
  const [blob] = f.blobs("blob");
  assert.ok(blob);
  await assert.rejects(registry.putBlobs([blob]), (error: unknown) => isMidflightError(error) && error.code === "REGISTRY_REFUSED" && error.facts.retryable === true);
  assert.equal((await readAll(registry, channel)).length, 6); // reading goes on
  other.exec("ROLLBACK");
  other.close();
  await registry.putBlobs([blob]);
});

test("no more reports are kept than the newest ten thousand of a channel", async (t) => {
  const registry = open(t, { path: ":memory:" });
  const f = createFixture();
  await registry.report([f.report("other", { channel: "shop/other" })]);
  for (let i = 0; i < 21; i++) await registry.report(Array.from({ length: 500 }, (_, n) => f.report(`${i * 500 + n}`)));
  const reports = await registry.reports({ channel: f.channel, limit: 100_000 });
  assert.deepEqual([reports.length, reports[0]?.id, reports.at(-1)?.id], [10_000, "10499", "500"]);
  assert.equal((await registry.reports({ channel: "shop/other" })).length, 1);
});

test("a closed registry says so, and closing twice does no harm", async (t) => {
  const file = await createFile(t);
  const registry = openRegistry({ path: file });
  await registry.close();
  await registry.close();
  await assert.rejects(registry.head("shop/development"), (error: unknown) => isMidflightError(error) && error.code === "REGISTRY_UNREACHABLE");
  assert.ok(existsSync(file));
});

test("a new store has an identity of its own", async (t) => {
  const epochs = new Set<string>();
  for (let i = 0; i < 5; i++) epochs.add((await open(t, { path: ":memory:" }).read("x", null, 1)).next.epoch);
  assert.equal(epochs.size, 5);
});

test("a new store is readable by its owner only, while it is open too", async (t) => {
  const file = await createFile(t);
  const registry = open(t, { path: file });
  await registry.putBlobs(createFixture().blobs("secret code"));
  for (const end of ["", "-wal", "-shm"]) assert.equal((await stat(file + end)).mode & 0o077, 0, end);
});

test("a large write is not moved to its place within its commit, but soon after; what is killed in between is not lost", async (t) => {
  const file = await createFile(t);
  const registry = open(t, { path: file });
  const blobs = createFixture().blobs(...Array.from({ length: 800 }, (_, i) => `${i}`.padEnd(10_000, ".")));
  const sizeBytes = (): number => statSync(file).size;
  await registry.putBlobs(blobs);
  assert.ok(sizeBytes() < 1 << 20, "the commit did not wait for it");
  // As a kill leaves it: both files as they are at this moment.
  for (const end of ["", "-wal"]) copyFileSync(file + end, `${file}.copy${end}`);
  assert.deepEqual(await open(t, { path: `${file}.copy` }).missing(blobs.map(({ digest }) => digest)), []);
  for (const end = performance.now() + 60_000; sizeBytes() < 8_000_000; await setTimeout(20)) assert.ok(performance.now() < end, "it stays in the write-ahead log");
});

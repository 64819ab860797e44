import assert from "node:assert/strict";
import { createServer, type AddressInfo } from "node:net";
import { once } from "node:events";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import path from "node:path";
import { test, type TestContext } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";
import type { Cursor, LogEntry } from "@midflight/protocol";
import { openRegistry } from "@midflight/registry";
import { createFixture, readAll } from "@midflight/registry/conformance";
import { connectRegistry, follow } from "@midflight/registry-client";
import { spawnFixture, type Child } from "./child.ts";

const channel = "shop/development";
const kills = 21;

async function freePort(): Promise<number> {
  const server = createServer().listen(0, "127.0.0.1");
  await once(server, "listening");
  const { port } = server.address() as AddressInfo;
  server.close();
  await once(server, "close");
  return port;
}

interface Reader {
  readonly entries: LogEntry[];
  readonly gaps: number;
  /** Ends this follower, and goes on with another from the cursor that was kept. */
  readonly restart: () => Promise<void>;
  readonly stop: () => Promise<void>;
}

function startReader(url: string): Reader {
  const client = connectRegistry({ url, token: "all-roles-token", keepsProcessAlive: true });
  const entries: LogEntry[] = [];
  let gaps = 0;
  let cursor: Cursor | null = null;
  let stopping = new AbortController();
  const run = (): Promise<void> => follow(client, channel, cursor, {
    signal: stopping.signal,
    onEntries: (list, { gap, next }) => {
      if (gap) gaps++;
      entries.push(...list);
      cursor = next;
    },
  });
  let following = run();
  const end = async (): Promise<void> => {
    stopping.abort();
    await following;
  };
  return {
    entries,
    get gaps() {
      return gaps;
    },
    restart: async () => {
      await end();
      stopping = new AbortController();
      following = run();
    },
    stop: async () => {
      await end();
      await client.close();
    },
  };
}

async function createFile(t: TestContext): Promise<string> {
  const directory = await mkdtemp(path.join(tmpdir(), "midflight-kill-"));
  t.after(() => rm(directory, { recursive: true }));
  return path.join(directory, "registry.db");
}

test(`after ${kills} kills of registry and publisher at random moments, no acknowledged append is lost and every reader has each entry once, in order`, { timeout: 180_000 }, async (t) => {
  const file = await createFile(t);
  const port = await freePort();
  const url = `http://127.0.0.1:${port}`;
  const acknowledged: string[] = [];
  const startServer = (): Child => spawnFixture("serve", [file, String(port)]);
  const startPublisher = (): Child => spawnFixture("publish", [url]);
  let server = startServer();
  let publisher = startPublisher();
  const readers = Array.from({ length: 3 }, () => startReader(url));
  const endPublisher = async (): Promise<void> => {
    await publisher.kill();
    acknowledged.push(...publisher.lines);
  };

  for (let kill = 0; kill < kills; kill++) {
    await publisher.firstLine; // something is going on
    await sleep(Math.random() * 120);
    if (kill % 3 === 2) {
      await endPublisher();
      publisher = startPublisher();
    } else {
      await server.kill();
      server = startServer();
      await server.firstLine;
    }
    if (kill % 5 === 0) await readers[kill % readers.length]?.restart();
  }
  await publisher.firstLine;
  await endPublisher();
  await server.kill();

  const registry = openRegistry({ path: file });
  t.after(() => registry.close());
  const log = await readAll(registry, channel);
  const ids = log.map((e) => e.id);
  assert.ok(acknowledged.length > kills, `${acknowledged.length} appends were acknowledged`);
  const held = new Set<string>(ids);
  assert.deepEqual(acknowledged.filter((id) => !held.has(id)), []);
  assert.deepEqual(log.map((e) => e.cursor.seq), ids.map((_, i) => i + 1));
  assert.deepEqual(log.map((e) => e.kind), ids.map((_, i) => (i % 2 === 0 ? "release" : "assign"))); // both of an append, or none
  assert.equal(held.size, ids.length);

  const last = startServer();
  await last.firstLine;
  for (const reader of readers) {
    const deadline = AbortSignal.timeout(60_000);
    while (reader.entries.length < ids.length && !deadline.aborted) await sleep(20);
    assert.deepEqual(reader.entries.map((e) => e.id), ids);
    assert.equal(reader.gaps, 0);
    await reader.stop();
  }
  await last.kill();
  t.diagnostic(`${acknowledged.length} acknowledged appends, ${ids.length} entries`);
});

test("a sweep that is killed has taken nothing that must stay, and the next one goes on", { timeout: 120_000 }, async (t) => {
  const file = await createFile(t);
  const { channel, release, assign } = createFixture();
  const filling = openRegistry({ path: file });
  const made = Array.from({ length: 25 }, (_, i) => release(i + 1, ...Array.from({ length: 50 }, (__, unit) => `release ${i}, unit ${unit}`)));
  for (const [i, { entry, id, blobs }] of made.entries()) {
    await filling.putBlobs(blobs);
    const appended = await filling.append({ channel, expect: (await filling.head(channel))?.id ?? null, entries: [entry, assign(id, { number: i + 1 })], needs: [] });
    assert.equal(appended.kind, "appended");
  }
  const before = await readAll(filling, channel);
  await filling.close();
  const newest = made.at(-1) ?? assert.fail();
  const all = made.flatMap(({ blobs }) => blobs.map(({ digest }) => digest));

  let left = all.length;
  let cutOff = 0;
  for (let kill = 0, isSwept = false; !isSwept; kill += 1) {
    const sweep = spawnFixture("sweep", [file]);
    await sweep.firstLine;
    await sleep(Math.random() * 5 * kill); // later and later, so that one gets through
    await sweep.kill();
    isSwept = sweep.lines.includes("swept");
    const registry = openRegistry({ path: file }); // proves the chain of what is left
    const log = await readAll(registry, channel);
    assert.ok(log.length === before.length || log.length === 2, `${log.length} entries are left`);
    assert.deepEqual(log, before.slice(-log.length));
    for (const [i, { cursor }] of before.entries()) {
      const page = await registry.read(channel, cursor, 100);
      assert.deepEqual(page.entries, page.gap ? log : before.slice(i + 1));
    }
    assert.deepEqual(await registry.missing(newest.blobs.map(({ digest }) => digest)), []);
    const now = all.length - (await registry.missing(all)).length;
    assert.ok(now <= left);
    if (now < left && now > newest.blobs.length) cutOff += 1;
    left = now;
    await registry.close();
  }
  assert.equal(left, newest.blobs.length);
  t.diagnostic(`${cutOff} sweeps were cut off among the blobs`);
});

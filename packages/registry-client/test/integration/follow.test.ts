import assert from "node:assert/strict";
import path from "node:path";
import { test } from "node:test";
import type { Enclosure, Registry } from "@midflight/protocol";
import { openRegistry, serveRegistry } from "@midflight/registry";
import { createFixture } from "@midflight/registry/conformance";
import { connectRegistry, follow, type RegistryClient } from "@midflight/registry-client";
import { record } from "./recorder.ts";
import { createDirectory, serve, tokens } from "./setup.ts";

const ids = (list: readonly { readonly id: string }[]): string[] => list.map((e) => e.id);

test("entries are told as they were appended together, each once, and in order", async (t) => {
  const { connect, registry } = await serve(t);
  const f = createFixture();
  const recorder = record(t, connect("agent-token"), f.channel);
  await recorder.until(() => recorder.calls.length === 1);
  assert.deepEqual(recorder.calls, [{ ids: [], gap: false, isEnd: true, enclosed: [] }]);
  const expected: string[] = [];
  for (let i = 1; i <= 5; i++) {
    const { entries } = await f.publish(registry, i, `v${i}`);
    expected.push(...ids(entries));
    await recorder.until(() => recorder.entries.length === i * 2);
    assert.deepEqual(recorder.calls.at(-1), { ids: ids(entries), gap: false, isEnd: true, enclosed: [] });
  }
  assert.deepEqual(ids(recorder.entries), expected);
  assert.deepEqual(recorder.states, [true]);
});

test("a follower that begins late reads all of a long log, page by page, and then on", async (t) => {
  const { connect, registry } = await serve(t);
  const f = createFixture();
  const expected: string[] = [];
  for (let i = 1; i <= 700; i++) {
    const entry = f.transition(f.blobs(`a${i}`)[0]?.digest ?? assert.fail(), f.blobs(`b${i}`)[0]?.digest ?? assert.fail());
    await registry.append({ channel: f.channel, expect: null, entries: [entry], needs: [] });
    expected.push(entry.id);
  }
  const recorder = record(t, connect("reader-token"), f.channel);
  await recorder.until(() => recorder.calls.at(-1)?.isEnd === true);
  const half = recorder.entries[349]?.cursor ?? assert.fail();
  const later = record(t, connect("reader-token"), f.channel, half);
  await later.until(() => later.calls.at(-1)?.isEnd === true);
  const { entries } = await f.publish(registry, 1, "v1");
  await Promise.all([recorder, later].map((r) => r.until(() => r.entries.at(-1)?.id === entries.at(-1)?.id)));
  assert.deepEqual(ids(recorder.entries), [...expected, ...ids(entries)]);
  assert.deepEqual(ids(later.entries), [...expected.slice(350), ...ids(entries)]);
});

test("what an append enclosed is told with its entries to a follower that asks, and of spoiled blobs the whole ones only", async (t) => {
  const registry = openRegistry({ path: ":memory:" });
  let isSpoiling = false;
  const spoil = (enclosure: Enclosure): Enclosure => ({ ...enclosure, blobs: enclosure.blobs.map((blob, i) => (i === 0 ? { ...blob, bytes: Buffer.from("spoiled") } : blob)) });
  const { connect } = await serve(t, {}, { ...registry, onPoke: (channel, poke) => registry.onPoke(channel, (enclosure) => poke(isSpoiling && enclosure !== undefined ? spoil(enclosure) : enclosure)) });
  const f = createFixture();
  const asking = record(t, connect("agent-token"), f.channel, null, { wantsEnclosed: true });
  const other = record(t, connect("agent-token"), f.channel);
  for (const recorder of [asking, other]) await recorder.until(() => recorder.calls.length === 1);
  const append = async (...texts: string[]): Promise<string> => {
    const { entry } = f.release(1, `${Math.random()}`);
    await connect().append({ channel: f.channel, expect: null, entries: [entry], needs: [], enclosed: f.blobs(...texts) });
    for (const recorder of [asking, other]) await recorder.until(() => recorder.entries.at(-1)?.id === entry.id);
    return entry.id;
  };
  const told = (recorder: typeof asking): string[] => recorder.calls.at(-1)?.enclosed.map(({ bytes }) => Buffer.from(bytes).toString()) ?? [];
  await append("one", "two");
  assert.deepEqual([told(asking), told(other)], [["one", "two"], []]);
  isSpoiling = true;
  await append("three", "four");
  assert.deepEqual(told(asking), ["four"]);
  assert.deepEqual(asking.states, [true], "a spoiled hint breaks nothing");
});

test("entries too large for an event are read from the log", async (t) => {
  const { connect, registry } = await serve(t);
  const f = createFixture();
  const recorder = record(t, connect("agent-token"), f.channel);
  await recorder.until(() => recorder.calls.length === 1);
  const expected: string[] = [];
  for (let i = 1; i <= 3; i++) {
    const entry = f.assign(f.blobs("r")[0]?.digest ?? assert.fail(), { revertTo: Array.from({ length: 50 }, (_, n) => f.blobs(`${n}`)[0]?.digest ?? assert.fail()) });
    const large = f.transition(f.blobs(`x${i}`)[0]?.digest ?? assert.fail(), f.blobs("y")[0]?.digest ?? assert.fail(), f.blobs(...Array.from({ length: 1_000 }, (_, n) => `${n}`)));
    await registry.append({ channel: f.channel, expect: (await registry.head(f.channel))?.id ?? null, entries: [large, entry], needs: [] });
    expected.push(large.id, entry.id);
  }
  await recorder.until(() => recorder.entries.length === 6);
  assert.deepEqual(ids(recorder.entries), expected);
});

test("a follower comes back when the registry does, and goes on from its cursor", async (t) => {
  const registry = openRegistry({ path: ":memory:" });
  t.after(() => registry.close());
  const first = await serveRegistry(registry, { port: 0, tokens });
  const port = Number(new URL(first.url).port);
  const client = connectRegistry({ url: first.url, token: "agent-token", keepsProcessAlive: true });
  t.after(() => client.close());
  const f = createFixture();
  const recorder = record(t, client, f.channel);
  const expected: string[] = [];
  let server = first;
  for (let i = 1; i <= 4; i++) {
    expected.push(...ids((await f.publish(registry, i, `v${i}`)).entries));
    await recorder.until(() => recorder.entries.length === expected.length);
    await server.close();
    await recorder.until(() => recorder.states.at(-1) === false);
    expected.push(...ids((await f.publish(registry, i + 100, `w${i}`)).entries)); // while nobody could hear it
    server = await serveRegistry(registry, { port, tokens });
  }
  await recorder.until(() => recorder.entries.length === expected.length);
  assert.deepEqual(ids(recorder.entries), expected);
  assert.ok(recorder.calls.every((call) => !call.gap));
  await server.close();
});

test("a follower whose place was taken by retention is told of the gap, once", async (t) => {
  let now = Date.now();
  const { connect, registry } = await serve(t, {}, openRegistry({ path: ":memory:", clock: { now: () => now } }));
  const f = createFixture();
  for (let i = 1; i <= 6; i++) await f.publish(registry, i, `v${i}`);
  const all = await registry.read(f.channel, null, 100);
  now += 10 * 60 * 60_000;
  await registry.retain({ keepReleases: 2 });
  const recorder = record(t, connect("agent-token"), f.channel, all.entries[0]?.cursor);
  await recorder.until(() => recorder.calls.at(-1)?.isEnd === true);
  assert.deepEqual(recorder.calls, [{ ids: ids(all.entries.slice(-4)), gap: true, isEnd: true, enclosed: [] }]);
  const { entries } = await f.publish(registry, 7, "v7");
  await recorder.until(() => recorder.calls.length === 2);
  assert.deepEqual(recorder.calls[1], { ids: ids(entries), gap: false, isEnd: true, enclosed: [] });
});

test("a follower whose registry was made anew is told of the gap, also when nothing is in it yet", async (t) => {
  const directory = await createDirectory(t);
  const f = createFixture();
  const serveFile = async (name: string, port: number): Promise<{ registry: Registry; url: string; close: () => Promise<void> }> => {
    const registry = openRegistry({ path: path.join(directory, name) });
    const server = await serveRegistry(registry, { port, tokens });
    return {
      registry,
      url: server.url,
      close: async () => {
        await server.close();
        await registry.close();
      },
    };
  };
  const old = await serveFile("old.db", 0);
  for (let i = 1; i <= 3; i++) await f.publish(old.registry, i, `v${i}`);
  const client = connectRegistry({ url: old.url, token: "agent-token", keepsProcessAlive: true });
  t.after(() => client.close());
  const recorder = record(t, client, f.channel);
  await recorder.until(() => recorder.entries.length === 6);
  await old.close();
  const fresh = await serveFile("fresh.db", Number(new URL(old.url).port));
  t.after(fresh.close);
  await recorder.until(() => recorder.calls.at(-1)?.gap === true);
  assert.deepEqual(recorder.calls.at(-1), { ids: [], gap: true, isEnd: true, enclosed: [] });
  const { entries } = await f.publish(fresh.registry, 9, "v9");
  await recorder.until(() => recorder.entries.length === 8);
  assert.deepEqual(recorder.calls.at(-1), { ids: ids(entries), gap: false, isEnd: true, enclosed: [] });
});

test("what an event stream fails to tell is found by the poll", async (t) => {
  const { connect, registry } = await serve(t);
  const f = createFixture();
  const client = connect("agent-token");
  // A way that looks alive and lets nothing through: the stream opens and says nothing more.
  const deaf: RegistryClient = {
    ...client,
    watch: (_channel, _after, signal) => (async function* () {
      yield { kind: "sync" as const, next: { epoch: "x", seq: 0 } };
      await new Promise((_, reject) => signal.addEventListener("abort", () => reject(new Error("aborted"))));
    })(),
  };
  const recorder = record(t, deaf, f.channel, null, { pollMs: 20 });
  await recorder.until(() => recorder.states.length === 1);
  const { entries } = await f.publish(registry, 1, "v1");
  await recorder.until(() => recorder.entries.length === 2);
  assert.deepEqual(ids(recorder.entries), ids(entries));
});

test("a follower with a refused token goes on asking, says why, and throws nothing", async (t) => {
  const { connect } = await serve(t);
  const recorder = record(t, connect("unknown" as "reader-token"), "shop/development");
  await recorder.until(() => recorder.states.length >= 3);
  assert.deepEqual(recorder.states.slice(0, 3), [false, false, false]);
  assert.equal(recorder.causes[0]?.code, "TOKEN_REFUSED");
  await recorder.stop();
});

test("what the callback throws ends the following, and is what the caller gets", async (t) => {
  const { connect, registry } = await serve(t);
  const f = createFixture();
  await f.publish(registry, 1, "v1");
  const failure = new Error("the app's own");
  await assert.rejects(
    follow(connect("agent-token"), f.channel, null, {
      signal: new AbortController().signal,
      onEntries: () => {
        throw failure;
      },
    }),
    (error: unknown) => error === failure,
  );
});

test("a follower told to stop ends at once, connected or not", { timeout: 60_000 }, async (t) => {
  const { connect } = await serve(t);
  const connected = record(t, connect("agent-token"), "shop/development");
  await connected.until(() => connected.states.length === 1);
  await connected.stop();
  const away = record(t, connect("agent-token", { url: "http://127.0.0.1:9" }), "shop/development");
  await away.until(() => away.states.length === 5); // the pause before the next attempt is long by now
  await away.stop();
  assert.equal(away.causes[0]?.code, "REGISTRY_UNREACHABLE");
});

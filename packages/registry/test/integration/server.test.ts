import assert from "node:assert/strict";
import { once } from "node:events";
import type { Socket } from "node:net";
import { test, type TestContext } from "node:test";
import { isMidflightError, maxEnclosedBytes, maxJsonBytes, paths, type Blob, type Registry } from "@midflight/protocol";
import { openMemoryRegistry, openRegistry, serveRegistry, type RegistryServer, type ServeOptions } from "@midflight/registry";
import { createFixture } from "@midflight/registry/conformance";
import { openRaw, readRaw } from "./raw-http.ts";

const tokens = { "reader-token": ["reader"], "agent-token": ["agent"], "publisher-token": ["publisher"] } as const;
const channel = "shop/development";

async function serve(t: TestContext, options: Partial<ServeOptions> = {}, registry: Registry = openRegistry({ path: ":memory:" })): Promise<RegistryServer & { registry: Registry }> {
  const server = await serveRegistry(registry, { port: 0, tokens, ...options });
  t.after(async () => {
    await server.close();
    await registry.close();
  });
  return { ...server, registry };
}

const bearer = (token: string): { authorization: string } => ({ authorization: `Bearer ${token}` });

async function codeOf(response: Response): Promise<string> {
  const body = (await response.json()) as { error: { code: string } };
  return body.error.code;
}

test("the registry listens on the loopback address unless told otherwise", async (t) => {
  const { url } = await serve(t);
  assert.equal(new URL(url).hostname, "127.0.0.1");
});

test("health is answered to anybody, and nothing else without a token that is known", async (t) => {
  const { url } = await serve(t);
  assert.deepEqual(await (await fetch(url + paths.health)).json(), { ok: true });
  const guesses: Record<string, string>[] = [{}, bearer(""), bearer("reader-toke"), bearer("reader-token2"), bearer("x".repeat(600)), { authorization: "reader-token" }, { authorization: "Basic reader-token" }];
  for (const [, path] of Object.entries(paths)) {
    if (path === paths.health) continue;
    for (const headers of guesses) {
      const response = await fetch(url + path, { headers });
      assert.equal(response.status, 401);
      assert.equal(await codeOf(response), "TOKEN_REFUSED");
    }
  }
});

test("each token does what its roles allow, and nothing else", async (t) => {
  const { url } = await serve(t);
  const calls: [method: string, path: string, allowed: string][] = [
    ["GET", `${paths.head}?channel=${channel}`, "reader agent publisher"],
    ["GET", `${paths.log}?channel=${channel}`, "reader agent publisher"],
    ["GET", `${paths.presence}?channel=${channel}`, "reader agent publisher"],
    ["GET", paths.channels, "reader agent publisher"],
    ["POST", paths.fetch, "reader agent publisher"],
    ["POST", paths.missing, "reader agent publisher"],
    ["POST", paths.blobs, "publisher"],
    ["POST", paths.append, "publisher"],
    ["POST", paths.reports, "agent"],
    ["POST", paths.presence, "agent"],
  ];
  for (const [method, path, allowed] of calls) {
    for (const role of ["reader", "agent", "publisher"]) {
      const response = await fetch(url + path, { method, headers: bearer(`${role}-token`), ...(method === "POST" && { body: "[]" }) });
      assert.equal(response.status === 403, !allowed.includes(role), `${method} ${path} as ${role}: ${response.status}`);
      const text = await response.text();
      if (response.status === 403) assert.match(text, /"code":"TOKEN_REFUSED"/);
    }
  }
});

test("an unknown path, method or argument is refused by its code", async (t) => {
  const { url } = await serve(t);
  const get = (path: string, method = "GET"): Promise<Response> => fetch(url + path, { method, headers: bearer("publisher-token") });
  assert.equal((await get("/v1/secrets")).status, 404);
  assert.equal((await get(paths.head, "DELETE")).status, 404);
  assert.equal((await get("//v1//head")).status, 404);
  for (const path of [paths.head, `${paths.head}?channel=%00`, `${paths.log}?channel=a&after=x`, `${paths.log}?channel=a&limit=-1`, `${paths.entry}?id=1`, `${paths.transition}?from=1`, `${paths.watch}?channel=a&after=x`]) {
    const response = await get(path);
    assert.equal(response.status, 400, path);
    assert.equal(await codeOf(response), "OBJECT_INVALID");
  }
});

test("a body that is no JSON, no pack or no list of digests is refused", async (t) => {
  const { url } = await serve(t);
  const post = (path: string, body: string, token = "publisher-token"): Promise<Response> => fetch(url + path, { method: "POST", headers: bearer(token), body });
  for (const body of ["", "{", "7", '["sha256:x"]', "{}"]) for (const path of [paths.fetch, paths.missing, paths.append]) assert.equal((await post(path, body)).status, 400, `${path} ${body}`);
  assert.equal(await codeOf(await post(paths.blobs, "x")), "PACK_MALFORMED");
  assert.equal(await codeOf(await post(paths.blobs, "\0\0\0\u0001".padEnd(37, "x"))), "ARTIFACT_DIGEST_MISMATCH");
  for (const body of ["7", "[{}]"]) assert.equal((await post(paths.reports, body, "agent-token")).status, 400);
  for (const body of ["7", "{}", '{"beat":{},"ttlMs":1}']) assert.equal((await post(paths.presence, body, "agent-token")).status, 400);
});

test("a body that announces to be too large is refused before it is sent", async (t) => {
  const { url, registry } = await serve(t);
  for (const [path, limit] of [[paths.append, maxJsonBytes], [paths.blobs, registry.caps.maxBlobBytes + (1 << 20)]] as const) {
    const socket = await openRaw(t, url);
    socket.write(`POST ${path} HTTP/1.1\r\nhost: x\r\nauthorization: Bearer publisher-token\r\ncontent-length: ${limit + 1}\r\n\r\n`);
    const answer = await readRaw(socket); // not one byte of the body was sent
    assert.match(answer, /^HTTP\/1\.1 413 /);
    assert.match(answer, /"code":"OBJECT_TOO_LARGE"/);
    assert.match(answer, /connection: close/i);
  }
});

test("a body without an announced length is refused as soon as it is too large", async (t) => {
  const { url } = await serve(t);
  const socket = await openRaw(t, url);
  socket.write("POST /v1/append HTTP/1.1\r\nhost: x\r\nauthorization: Bearer publisher-token\r\ntransfer-encoding: chunked\r\n\r\n");
  const chunk = Buffer.concat([Buffer.from("100000\r\n"), Buffer.alloc(1 << 20, " "), Buffer.from("\r\n")]);
  const answer = readRaw(socket, "OBJECT_TOO_LARGE");
  for (let sent = 0; sent <= maxJsonBytes; sent += 1 << 20) if (!socket.write(chunk)) await once(socket, "drain");
  assert.match(await answer, /^HTTP\/1\.1 413 /);
});

test("a caller without a right is refused before its body is read", async (t) => {
  const { url } = await serve(t);
  for (const [token, status] of [["reader-token", 403], ["unknown", 401]] as const) {
    const socket = await openRaw(t, url);
    socket.write(`POST /v1/append HTTP/1.1\r\nhost: x\r\nauthorization: Bearer ${token}\r\ncontent-length: 1000\r\n\r\n`);
    assert.match(await readRaw(socket), new RegExp(`^HTTP/1\\.1 ${status} `));
  }
});

test("headers without an end are cut off", async (t) => {
  const { url } = await serve(t);
  const socket = await openRaw(t, url);
  socket.write(`GET /v1/head HTTP/1.1\r\nhost: x\r\nx-long: ${"x".repeat(20_000)}\r\n\r\n`);
  assert.match(await readRaw(socket), /^HTTP\/1\.1 431 /);
});

const watchRequest = (token = "agent-token", more = ""): string => `GET /v1/watch?channel=${channel}${more} HTTP/1.1\r\nhost: x\r\nauthorization: Bearer ${token}\r\n\r\n`;

interface EntryEvent {
  readonly entries: readonly { readonly id: string }[];
  readonly enclosed?: readonly { readonly digest: string; readonly bytes: string }[];
}

/** The entry events of a stream as it came, chunk sizes and all. */
function parseEvents(text: string): readonly EntryEvent[] {
  const whole = text.replaceAll(/\r\n[0-9a-f]+\r\n/g, "");
  return Array.from(whole.matchAll(/^event: entry\ndata: (.*)$/gm), ([, data = ""]) => JSON.parse(data) as EntryEvent);
}

/** Reads on to the end of the event that tells of an entry. */
async function readEvent(socket: Socket, id: string): Promise<EntryEvent> {
  let text = await readRaw(socket, id);
  if (!text.endsWith("\n\n\r\n")) text += await readRaw(socket, "\n\n\r\n");
  return parseEvents(text).findLast(({ entries }) => entries.some((entry) => entry.id === id)) ?? assert.fail(`no event tells of ${id}`);
}

test("an event stream shows that it is alive, though nothing happens", async (t) => {
  const { url } = await serve(t, { heartbeatMs: 10 });
  const socket = await openRaw(t, url);
  socket.write(watchRequest());
  const text = await readRaw(socket, ":\n\n");
  assert.match(text, /content-type: text\/event-stream/i);
  assert.match(text, /event: sync/);
});

test("an event stream goes on after the id that its reader has seen last", async (t) => {
  const { url, registry } = await serve(t);
  const f = createFixture();
  await f.publish(registry, 1, "v1");
  const first = await openRaw(t, url);
  first.write(watchRequest());
  const text = await readRaw(first, "event: sync");
  const id = /^id: (\S+)$/m.exec(text)?.[1] ?? assert.fail(text);
  const { entries } = await f.publish(registry, 2, "v2");
  const again = await openRaw(t, url);
  again.write(watchRequest().replace("\r\n\r\n", `\r\nlast-event-id: ${id}\r\n\r\n`));
  const rest = await readRaw(again, "event: sync");
  assert.equal(rest.split("event: entry").length, 2);
  for (const entry of entries) assert.ok(rest.includes(entry.id));
});

/** Sends a request and reads nothing of the answer. An end shows only when something is sent: line ends, which HTTP ignores between requests. */
function takeNothing(socket: Socket, request: string): { readonly isGone: () => boolean; readonly gone: Promise<unknown> } {
  const gone = new Promise((resolve) => socket.on("close", resolve)); // a reset is an end as good as any
  socket.pause();
  socket.write(request);
  const knock = setInterval(() => socket.write("\r\n"), 20);
  socket.on("close", () => clearInterval(knock));
  return { isGone: () => socket.destroyed, gone };
}

test("a reader that takes nothing is disconnected, and others are not kept waiting for it", { timeout: 60_000 }, async (t) => {
  const { url, registry } = await serve(t, { stallMs: 200 });
  const f = createFixture();
  const lazy = await openRaw(t, url);
  const { isGone } = takeNothing(lazy, watchRequest());
  const eager = await openRaw(t, url);
  eager.write(watchRequest());
  // Large enough to fill what the kernel holds for a reader, small enough to be sent in the event.
  const ops = f.blobs(...Array.from({ length: 400 }, (_, i) => `${i}`));
  for (let i = 0; !isGone(); i++) {
    assert.ok(i < 2_000, "it is still connected");
    const entry = f.transition(f.blobs(`${i}`)[0]?.digest ?? assert.fail(), f.blobs("x")[0]?.digest ?? assert.fail(), ops);
    await registry.append({ channel, expect: null, entries: [entry], needs: [] });
    assert.ok((await readRaw(eager, entry.id)).includes(entry.id));
  }
});

test("what an append encloses comes with its event to those that ask for it, and to nobody else", async (t) => {
  const { url, registry } = await serve(t);
  const f = createFixture();
  const [asking, other] = [await openRaw(t, url), await openRaw(t, url)];
  asking.write(watchRequest("agent-token", "&enclosed=true"));
  other.write(watchRequest());
  for (const socket of [asking, other]) await readRaw(socket, "event: sync");
  const blobs = f.blobs("one", "two");
  const append = async (enclosed?: readonly Blob[]): Promise<string> => {
    const entry = f.release(1, `${Math.random()}`).entry;
    await registry.append({ channel, expect: null, entries: [entry], needs: [], ...(enclosed !== undefined && { enclosed }) });
    return entry.id;
  };
  const first = await append(blobs);
  const event = await readEvent(asking, first);
  assert.deepEqual(event.enclosed, blobs.map(({ digest, bytes }) => ({ digest, bytes: Buffer.from(bytes).toString("base64") })));
  assert.equal((await readEvent(other, first)).enclosed, undefined);
  // What one append brought is not told as another's.
  assert.equal((await readEvent(asking, await append())).enclosed, undefined);
});

test("a reader that lags gets every entry, and not what was enclosed with them; once it has caught up it gets that again", { timeout: 60_000 }, async (t) => {
  const { url, registry } = await serve(t, { stallMs: 50_000 });
  const f = createFixture();
  const [slow, eager] = [await openRaw(t, url), await openRaw(t, url)];
  for (const socket of [slow, eager]) {
    socket.write(watchRequest("agent-token", "&enclosed=true"));
    await readRaw(socket, "event: sync");
  }
  const ids: string[] = [];
  const append = async (): Promise<string> => {
    const { id, entry } = f.release(1, `${ids.length}`);
    ids.push(id);
    await registry.append({ channel, expect: null, entries: [entry], needs: [], enclosed: f.blobs(id.padEnd(200_000, ".")) });
    return id;
  };
  slow.pause();
  // Three times of what the kernel holds for a reader.
  for (let i = 0; i < 150; i++) assert.ok((await readEvent(eager, await append())).enclosed, `the one that keeps up, append ${i}`);
  const events = parseEvents(await readRaw(slow, ids.at(-1)).then(async (text) => text + (await readRaw(slow, "\n\n"))));
  assert.deepEqual(events.flatMap(({ entries }) => entries.map(({ id }) => id)), ids);
  for (const { entries, enclosed } of events) assert.ok(enclosed === undefined || entries.length === 1, "what came with one append is not told of several");
  const full = events.filter(({ enclosed }) => enclosed !== undefined).length;
  assert.ok(full < 100, `${full} of ${ids.length} appends were sent whole to a reader that took nothing`);
  assert.ok((await readEvent(slow, await append())).enclosed, "it keeps up again");
});

test("an append whose enclosed blobs are too large, or not in base64, is refused before they are decoded", async (t) => {
  const { url, registry } = await serve(t);
  const f = createFixture();
  const { entry, blobs } = f.release(1, "a");
  const post = (enclosed: unknown): Promise<Response> =>
    fetch(url + paths.append, { method: "POST", headers: bearer("publisher-token"), body: JSON.stringify({ channel, expect: null, entries: [entry], needs: [], enclosed }) });
  const digest = blobs[0]?.digest;
  const tooLarge = await post([{ digest, bytes: "A".repeat(Math.ceil(maxEnclosedBytes / 3) * 4 + 4) }]);
  assert.deepEqual([tooLarge.status, await codeOf(tooLarge)], [413, "OBJECT_TOO_LARGE"]);
  for (const enclosed of [7, {}, [7], [{ digest }], [{ digest, bytes: 7 }], [{ digest, bytes: "*" }], [{ digest: "sha256:x", bytes: "" }], Array.from({ length: 1_001 }, () => ({ digest, bytes: "" }))]) {
    const response = await post(enclosed);
    assert.deepEqual([response.status, await codeOf(response)], [400, "OBJECT_INVALID"], JSON.stringify(enclosed).slice(0, 100));
  }
  const spoiled = await post([{ digest, bytes: "AAAA" }]);
  assert.deepEqual([spoiled.status, await codeOf(spoiled)], [400, "ARTIFACT_DIGEST_MISMATCH"]);
  assert.deepEqual(await registry.channels(), []);
});

test("more readers than allowed are turned away, and let in when others leave", async (t) => {
  const { url } = await serve(t, { maxWatchers: 1 });
  const first = await openRaw(t, url);
  first.write(watchRequest());
  await readRaw(first, "event: sync");
  const turnedAway = await fetch(`${url}${paths.watch}?channel=${channel}`, { headers: bearer("agent-token") });
  assert.equal(turnedAway.status, 503);
  assert.equal(await codeOf(turnedAway), "REGISTRY_UNREACHABLE");
  first.destroy();
  for (;;) {
    const second = await fetch(`${url}${paths.watch}?channel=${channel}`, { headers: bearer("agent-token") });
    await second.body?.cancel();
    if (second.status === 200) break; // the server learns of the first one's end in its own time
    assert.equal(second.status, 503);
  }
});

test("a large pack is sent as it is read, and a caller that takes nothing of it is let go", { timeout: 60_000 }, async (t) => {
  const blob = Buffer.alloc(1 << 20);
  let read = 0;
  const endless: Registry = {
    ...openMemoryRegistry(),
    getBlobs: async (digests) => {
      read += digests.length;
      return digests.map((digest) => ({ digest, bytes: blob }));
    },
  };
  const { url } = await serve(t, { stallMs: 200 }, endless);
  const body = JSON.stringify(Array.from({ length: 2_000 }, (_, i) => `sha256:${String(i).padStart(64, "0")}`));
  const socket = await openRaw(t, url);
  await takeNothing(socket, `POST /v1/fetch HTTP/1.1\r\nhost: x\r\nauthorization: Bearer agent-token\r\ncontent-length: ${body.length}\r\n\r\n${body}`).gone;
  assert.ok(read < 200, `${read} MB were read for a caller that took nothing`);
});

test("a port that is taken is told by its code", async (t) => {
  const { url } = await serve(t);
  const registry = openMemoryRegistry();
  await assert.rejects(serveRegistry(registry, { port: Number(new URL(url).port), tokens }), (error: unknown) => isMidflightError(error) && error.code === "PORT_IN_USE" && error.facts.fix !== undefined);
  await assert.rejects(serveRegistry(registry, { host: "203.0.113.1", port: 0, tokens }), (error: unknown) => isMidflightError(error) && error.code === "CONFIG_INVALID");
  await assert.rejects(serveRegistry(registry, { port: 0, tokens: { "": ["reader"] } }), (error: unknown) => isMidflightError(error) && error.code === "CONFIG_INVALID");
});

test("closing ends streams and kept connections at once, and may be done twice", { timeout: 60_000 }, async (t) => {
  const server = await serve(t);
  const stream = await openRaw(t, server.url);
  stream.write(watchRequest());
  await readRaw(stream, "event: sync");
  await (await fetch(server.url + paths.health)).text();
  await Promise.all([server.close(), server.close()]);
  await server.close();
  await readRaw(stream);
  await assert.rejects(fetch(server.url + paths.health));
});

test("a blob that is asked for many times in one request is sent once", async (t) => {
  const { url, registry } = await serve(t);
  const [blob = assert.fail()] = createFixture().blobs("a blob");
  await registry.putBlobs([blob]);
  const response = await fetch(url + paths.fetch, { method: "POST", headers: bearer("reader-token"), body: JSON.stringify(Array.from({ length: 500 }, () => blob.digest)) });
  assert.equal((await response.arrayBuffer()).byteLength, 36 + blob.bytes.length);
});

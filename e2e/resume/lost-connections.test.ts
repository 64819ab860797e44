import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import { once } from "node:events";
import { createRequire } from "node:module";
import net from "node:net";
import { describe, test } from "node:test";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { openResumable, type ResumableEnd, type ResumableOptions } from "@midflight/client";
import { acceptResumable, createResumeWindow, type AcceptOptions, type ResumableSocket } from "@midflight/client/server";
import { nodeBinary } from "../../scripts/node-versions.mjs";

interface ServerSocket extends ResumableSocket {
  terminate(): void;
}
const { WebSocketServer } = createRequire(import.meta.url)("ws") as {
  WebSocketServer: new (options: { port: number; host: string }) => NodeJS.EventEmitter & { readonly clients: Set<ServerSocket>; address(): net.AddressInfo; close(): void };
};

interface Served {
  readonly url: string;
  readonly port: number;
  /** By resume id: the ids of messages as they were dealt with. */
  readonly done: Map<string, number[]>;
  /** When each connection came. */
  readonly came: number[];
  /** The next connection. */
  next(): Promise<unknown>;
  readonly sockets: Set<ServerSocket>;
  close(): void;
}

async function serve(options: Partial<AcceptOptions<unknown>> & { readonly onSocket?: (socket: ServerSocket) => void } = {}): Promise<Served> {
  const server = new WebSocketServer({ port: 0, host: "127.0.0.1" });
  await once(server, "listening");
  const [done, came, window] = [new Map<string, number[]>(), [] as number[], createResumeWindow()];
  server.on("connection", (socket: ServerSocket, request: unknown) => {
    came.push(performance.now());
    if (options.onSocket !== undefined) options.onSocket(socket);
    else acceptResumable(socket, request, { window, onMessage: ({ id, n }) => void done.set(id, [...(done.get(id) ?? []), n]), ...options });
  });
  const { port } = server.address();
  return {
    url: `ws://127.0.0.1:${port}`, port, done, came, sockets: server.clients,
    next: () => once(server, "connection"),
    close() {
      for (const socket of server.clients) socket.terminate();
      server.close();
    },
  };
}

/** Opens one and waits for its end. */
async function untilEnd(url: string, options: ResumableOptions = {}): Promise<ResumableEnd> {
  return await new Promise((resolve) => openResumable(url, { spreadMs: 1, ...options, onEnd: resolve }));
}

const upTo = (count: number): number[] => Array.from({ length: count }, (_, i) => i + 1);

describe("over lost connections", { timeout: 120_000 }, () => {
  test("cut anywhere, also in the middle of a frame, no message is lost or dealt with twice", async (t) => {
    const served = await serve();
    const cutter = await cut(served.port, 12);
    const clients = Array.from({ length: 20 }, () => openResumable(`ws://127.0.0.1:${cutter.port}`, { spreadMs: 4, maxDelayMs: 20 }));
    try {
      for (let n = 1; n <= 200; n++) {
        for (const client of clients) assert.deepEqual(client.send(`message ${n}`), { kind: "queued", n });
        await new Promise((resolve) => setImmediate(resolve));
      }
      assert.deepEqual(new Set(await Promise.all(clients.map((client) => client.flushed()))), new Set([true]));
      for (const { id } of clients) assert.deepEqual(served.done.get(id), upTo(200));
      assert.ok(cutter.cuts >= 20, `${cutter.cuts} cuts`);
      t.diagnostic(`4000 messages over ${cutter.cuts} cuts: 0 lost, 0 doubled`);
    } finally {
      for (const client of clients) client.close();
      cutter.close();
      served.close();
    }
  });

  test("clients that are told together to come again do not come together", async () => {
    const served = await serve();
    const count = 60;
    const clients = Array.from({ length: count }, () => openResumable(served.url, { spreadMs: 3000 }));
    try {
      for (const client of clients) client.send("here");
      await Promise.all(clients.map((client) => client.flushed()));
      const closedAt = performance.now();
      for (const socket of served.sockets) socket.close(1012);
      while (served.came.length < 2 * count) await served.next();
      const late = served.came.slice(count).map((at) => at - closedAt);
      const inFirstThird = late.filter((ms) => ms < 1000).length;
      assert.ok(inFirstThird < count * 0.7, `${inFirstThird} of ${count} in the first third: ${late.map(Math.round).join()}`);
    } finally {
      for (const client of clients) client.close();
      served.close();
    }
  });

  test("a connection that says nothing is given up, though nobody closes it", async () => {
    const silent = net.createServer((socket) => void socket.on("error", () => undefined).resume()).listen(0, "127.0.0.1");
    await once(silent, "listening");
    const { port } = silent.address() as net.AddressInfo;
    const second = new Promise<void>((resolve) => silent.once("connection", () => silent.once("connection", () => resolve())));
    const client = openResumable(`ws://127.0.0.1:${port}`, { spreadMs: 1, acknowledgeMs: 100 });
    await second;
    client.close();
    assert.deepEqual(client.send("late"), { kind: "refused", why: "ended" });
    silent.close();
  });

  test("a server whose handler fails is asked again later and later, and gets the message when it does not", async (t) => {
    t.mock.method(Math, "random", () => 0.999);
    let failures = 0;
    const done: string[] = [];
    const served = await serve({
      onMessage: ({ n, data }) => {
        if (failures < 4) {
          failures += 1;
          throw new Error("no room");
        }
        done.push(`${n} ${data}`);
      },
    });
    const client = openResumable(served.url, { spreadMs: 20 });
    t.after(() => {
      client.close();
      served.close();
    });
    client.send("a");
    client.send("b");
    assert.equal(await client.flushed(), true);
    assert.deepEqual([failures, done, served.came.length], [4, ["1 a", "2 b"], 5]);
    const gaps = served.came.slice(1).map((at, i) => at - (served.came[i] ?? 0));
    for (const [i, gap] of gaps.entries()) assert.ok(gap >= 0.9 * 20 * 2 ** i, `${gaps.join()} ms`);
  });
});

describe("an end", { timeout: 60_000 }, () => {
  test("comes from the server with 1000 and codes of the app's, and counts what was not acknowledged", async () => {
    for (const code of [1000, 1008, 4001]) {
      const served = await serve({ onMessage: (_message, peer) => peer.close(code, "enough") });
      const ended = new Promise<ResumableEnd>((resolve) => openResumable(served.url, { onEnd: resolve }).send("a"));
      assert.deepEqual(await ended, { kind: "refused", code, reason: "enough", unacknowledged: 1 });
      assert.equal(served.came.length, 1);
      served.close();
    }
  });

  test("comes from the signal, also while nobody answers, and tells who waits", async () => {
    const served = await serve();
    served.close();
    const stop = new AbortController();
    const ends: ResumableEnd[] = [];
    const client = openResumable(served.url, { signal: stop.signal, onEnd: (end) => ends.push(end) });
    client.send("a");
    const flushed = client.flushed();
    stop.abort();
    stop.abort();
    assert.equal(await flushed, false);
    assert.deepEqual(ends, [{ kind: "closed", code: 1000, reason: "", unacknowledged: 1 }]);
    assert.equal(openResumable(served.url, { signal: stop.signal }).state, "ended");
  });

  test("comes from a server that speaks something else: nothing is let go of on its word", async () => {
    const words = ["hello", '{"welcome":1,"last":5,"isFresh":false}', '{"ack":1}', "{}"];
    for (const word of words) {
      const served = await serve({ onSocket: (socket) => void socket.on("message", () => socket.send(word)) });
      assert.equal((await untilEnd(served.url)).kind, "protocol", word);
      served.close();
    }
  });
});

describe("as it is installed", { timeout: 120_000 }, () => {
  for (const major of [20, 22, 24, 26] as const) {
    test(`it resumes on Node ${major}${major === 20 ? " with the WebSocket of ws" : ""}`, async () => {
      const lost = new Set<string>();
      const done: number[] = [];
      const sockets: ServerSocket[] = [];
      const served = await serve({
        onOpen: () => void sockets.push(...[...served.sockets].slice(-1)),
        onMessage: ({ id, n }) => {
          done.push(n);
          // Dealt with, and nobody is told.
          if (n === 10 && !lost.has(id)) sockets.at(-1)?.terminate();
          if (n === 10) lost.add(id);
        },
      });
      const { stdout } = await promisify(execFile)(nodeBinary(major), ["--no-warnings", fileURLToPath(new URL("fixtures/send-and-flush.mjs", import.meta.url)), served.url]);
      const { id, ...told } = JSON.parse(stdout) as { readonly id: string };
      assert.deepEqual([told, done, [...lost]], [{ isFlushed: true, opened: 2, state: "ended" }, upTo(20), [id]]);
      served.close();
    });
  }
});

/** Passes on what comes, and cuts about every `every`-th time, in the middle of it. */
async function cut(port: number, every: number): Promise<{ readonly port: number; readonly cuts: number; close(): void }> {
  let cuts = 0;
  const open = new Set<net.Socket>();
  const server = net.createServer((near) => {
    const far = net.connect(port, "127.0.0.1");
    for (const [from, to] of [[near, far], [far, near]] as const) {
      open.add(from);
      from.on("error", () => undefined).on("close", () => {
        open.delete(from);
        to.destroy();
      });
      from.on("data", (bytes) => {
        if (Math.random() > 1 / every) return void to.write(bytes);
        cuts += 1;
        to.write(bytes.subarray(0, Math.floor(Math.random() * bytes.length)), () => to.destroy());
        from.destroy();
      });
    }
  }).listen(0, "127.0.0.1");
  await once(server, "listening");
  return {
    port: (server.address() as net.AddressInfo).port,
    get cuts() {
      return cuts;
    },
    close() {
      server.close();
      for (const socket of open) socket.destroy();
    },
  };
}

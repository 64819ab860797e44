import assert from "node:assert/strict";
import { EventEmitter, once } from "node:events";
import { createServer, get, IncomingMessage, ServerResponse } from "node:http";
import http2 from "node:http2";
import { connect, type AddressInfo } from "node:net";
import { describe, test } from "node:test";
import { Generations } from "../../src/runtime/generations.ts";
import { Hold } from "../../src/runtime/hold.ts";
import { followHttpRequests } from "../../src/runtime/http-requests.ts";
import { until } from "../support/until.ts";

const timing = { pinMs: 60_000, lingerMs: 1 };

interface Served {
  readonly generations: Generations;
  readonly ask: (path?: string) => Promise<void>;
}

async function serving(handle: (request: IncomingMessage, response: ServerResponse, generations: Generations) => void, use: (served: Served) => Promise<void>): Promise<void> {
  const generations = new Generations(timing);
  const unfollow = followHttpRequests(generations, new Hold(), null);
  const server = createServer((request, response) => handle(request, response, generations));
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  const ask = (path = "/"): Promise<void> =>
    new Promise((resolve, reject) => {
      get({ path, port: (server.address() as AddressInfo).port, agent: false }, (answer) => answer.resume().on("close", resolve)).on("error", reject);
    });
  try {
    await use({ generations, ask });
  } finally {
    server.close();
    unfollow();
  }
}

describe("a request of an HTTP server", () => {
  test("ends with the close of its response, whether or not anybody hears that", async () => {
    await serving((_, response) => response.end(), async ({ generations, ask }) => {
      await ask();
      await until(async () => generations.isQuiet || undefined, 10_000);
    });
  });

  test("is under way until then", async () => {
    const seen: boolean[] = [];
    await serving((_, response, generations) => {
      seen.push(generations.isQuiet);
      response.on("finish", () => seen.push(generations.isQuiet)).end();
    }, async ({ ask }) => ask());
    assert.deepEqual(seen, [false, false]);
  });

  test("tells its listeners in its own context, wherever an event comes from", async () => {
    const seen: boolean[] = [];
    await serving((request, response, generations) => {
      const { token } = generations;
      request.on("app", () => seen.push(generations.token === token));
      response.on("app", () => seen.push(generations.token === token));
      setImmediate(() => response.end());
      generations.run(generations.open(), () => seen.push(request.emit("app"), response.emit("app"), generations.token !== token));
    }, async ({ ask }) => ask());
    assert.deepEqual(seen, [true, true, true, true, true]);
  });

  test("tells of its end in its own context also where Node has told itself alone of the one before", async () => {
    const seen: boolean[] = [];
    await serving((request, response, generations) => {
      const { token } = generations;
      // Node waits for the end of a request that nobody reads.
      if (request.url === "/unread") return void response.end();
      request.on("end", () => seen.push(generations.token === token));
      generations.run(generations.open(), () => request.emit("end"));
      response.end();
    }, async ({ ask }) => {
      await ask("/unread");
      await ask();
    });
    assert.equal(seen[0], true);
  });

  test("answers an event that nobody hears as Node does, and throws an error that nobody handles", async () => {
    const seen: unknown[] = [];
    await serving((request, response) => {
      seen.push(request.emit("unheard"), response.emit("unheard"));
      for (const one of [request, response]) assert.throws(() => one.emit("error", new Error("nobody handles it")), /nobody handles it/);
      response.end();
    }, async ({ ask }) => ask());
    assert.deepEqual(seen, [false, false]);
  });

  test("shows each event to whoever wrapped `emit` before, heard or not", async () => {
    const { emit: native } = EventEmitter.prototype as unknown as { readonly emit: (this: EventEmitter, ...args: unknown[]) => boolean };
    const seen = new Set<string>();
    const own = [IncomingMessage, ServerResponse].map(({ prototype }) => {
      const target = prototype as unknown as { emit: unknown };
      target.emit = function (this: EventEmitter, event: string, ...args: unknown[]) {
        seen.add(event);
        return Reflect.apply(native, this, [event, ...args]);
      };
      return target;
    });
    try {
      await serving((request, response) => {
        request.emit("of the request");
        response.emit("of the response");
        response.end();
      }, async ({ ask }) => ask());
    } finally {
      for (const target of own) delete target.emit;
    }
    assert.ok(["of the request", "of the response", "prefinish", "close"].every((event) => seen.has(event)), [...seen].join(" "));
  });
});

/** Nothing here is instrumented: a listener has no other way to its request than the event. */
describe("each of many requests is told of all its events in its own context,", () => {
  async function following(serve: (generations: Generations, meet: (emitters: readonly EventEmitter[]) => void) => Promise<void>): Promise<void> {
    const generations = new Generations(timing);
    const unfollow = followHttpRequests(generations, new Hold(), null);
    const tokens = new Set<unknown>();
    const strays = new Set<string>();
    let met = 0;
    try {
      await serve(generations, (emitters) => {
        const { token } = generations;
        met++;
        tokens.add(token);
        for (const emitter of emitters) for (const event of ["data", "end", "finish", "close"]) emitter.on(event, () => generations.token === token || strays.add(`${emitter.constructor.name} ${event}`));
      });
      await until(async () => generations.isQuiet || undefined, 10_000);
      assert.deepEqual([tokens.size, tokens.has(undefined), [...strays]], [met, false, []]);
    } finally {
      unfollow();
    }
  }

  test("pipelined on one connection", async () => {
    await following(async (_, meet) => {
      const server = createServer((request, response) => {
        meet([request, response]);
        request.on("end", () => (request.url === "/late" ? setImmediate(() => response.end("x".repeat(70_000))) : response.end("x")));
      }).listen(0, "127.0.0.1");
      await once(server, "listening");
      const socket = connect((server.address() as AddressInfo).port);
      const total = 60;
      const answered = new Promise<void>((resolve) => {
        let text = "";
        socket.on("data", (part) => (text += String(part)).split("HTTP/1.1 200").length > total && resolve());
      });
      for (let i = 0; i < total; i++) socket.write(`POST ${i % 2 === 0 ? "/late" : "/"} HTTP/1.1\r\nhost: a\r\ncontent-length: ${i * 10}\r\n\r\n${"y".repeat(i * 10)}`);
      await answered;
      socket.destroy();
      server.close();
    });
  });

  for (const event of ["request", "stream"] as const) {
    test(`as a ${event} of HTTP/2`, async () => {
      await following(async (_, meet) => {
        const server = http2.createServer().listen(0, "127.0.0.1");
        if (event === "stream") server.on("stream", (stream) => {
          meet([stream]);
          stream.on("end", () => stream.end("x"));
        });
        else server.on("request", (request, response) => {
          meet([request, response]);
          request.on("end", () => response.end("x"));
        });
        await once(server, "listening");
        const client = http2.connect(`http://127.0.0.1:${(server.address() as AddressInfo).port}`);
        await Promise.all(Array.from({ length: 40 }, async (_one, i) => {
          const stream = client.request({ ":method": "POST", ":path": "/" });
          stream.resume().end("y".repeat(i * 10));
          await once(stream, "close");
        }));
        client.close();
        server.close();
      });
    });
  }
});

describe("the requests that are under way", () => {
  test("are forgotten in whatever order they end, with all that they lead to", () => {
    for (const order of [[0, 1, 2], [2, 1, 0], [1, 0, 2], [1, 2, 0]]) {
      const generations = new Generations(timing);
      const tokens = [0, 1, 2].map(() => generations.open({}));
      let ended = 0;
      generations.whenEnded(() => (ended += 1));
      for (const [i, at] of order.entries()) {
        assert.deepEqual([ended, generations.isQuiet], [0, false], `before ${i}`);
        generations.close(tokens[at]!);
        generations.close(tokens[at]!);
      }
      assert.deepEqual([ended, generations.isQuiet], [1, true]);
      for (const { answer, previous, next } of tokens) assert.deepEqual([answer, previous, next], [null, null, null]);
    }
  });

  test("stay on their generation when the next one comes, each for itself", () => {
    const generations = new Generations(timing);
    const before = [generations.open(), generations.open()] as const;
    generations.close(generations.open());
    assert.equal(generations.advance(() => undefined), true);
    const after = generations.open();
    assert.deepEqual([...before, after].map((token) => generations.run(token, generations.isOld)), [true, true, false]);
    generations.giveUp();
    assert.deepEqual([...before, after].map((token) => generations.run(token, generations.isOld)), [false, false, false]);
  });
});

import assert from "node:assert/strict";
import { fork } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { Agent, get, request as requestOf } from "node:http";
import http2 from "node:http2";
import net from "node:net";
import os from "node:os";
import path from "node:path";
import { after, before, describe, test } from "node:test";
import { setImmediate as nextTurn } from "node:timers/promises";
import { fileURLToPath } from "node:url";
import type { AgentWord, DrainedWord } from "@midflight/protocol";
import { freePort } from "@midflight/testkit";
import { openHolder, type HeldProcess, type Holder } from "../../src/holder/connect-holder.ts";

const fixture = (name: string): string => fileURLToPath(new URL(`../fixtures/${name}`, import.meta.url));

describe("a hand-over", { timeout: 120_000 }, () => {
  const root = mkdtempSync(path.join(os.tmpdir(), "midflight-hand-over-"));
  const running = new Set<HeldProcess>();
  let holder: Holder;
  let port = 0;
  let portH2 = 0;
  let edition = 0;
  let now: HeldProcess;

  before(async () => {
    holder = await openHolder({ root, log: (name) => path.join(root, `${name}.log`) });
    [port, portH2] = [await freePort(), await freePort()];
    now = await launch();
  });
  after(async () => {
    for (const held of running) end(held, "SIGKILL");
    await Promise.all([...running].map((held) => held.exited));
    holder.close();
    assert.equal(readFileSync(path.join(root, "app.log"), "utf8"), "", "nothing went wrong in the agent");
    rmSync(root, { recursive: true, force: true });
  });

  async function launch(): Promise<HeldProcess> {
    edition += 1;
    const held = await holder.launch({
      target: "web-1", file: process.execPath, directory: root, logPath: path.join(root, "app.log"), group: "web", passing: "line",
      args: ["--conditions=@midflight/source", "--disable-warning=ExperimentalWarning", "--import", fixture("install-drain.mjs"), fixture("serve.mjs")],
      env: { ...process.env, EDITION: String(edition), PORT: String(port), PORT_H2: String(portH2) },
    });
    running.add(held);
    void held.exited.then(() => running.delete(held));
    while (held.listening.size < 2) await held.hear((word): word is AgentWord => word.kind === "listening");
    return held;
  }

  /** Another process takes over; what became of the one before. */
  async function replace(): Promise<{ drained: DrainedWord; exited: Promise<unknown> }> {
    const [old, next] = [now, await launch()];
    next.say({ kind: "accept" });
    const drained = old.hear((word): word is DrainedWord => word.kind === "drained");
    old.say({ kind: "drain", deadlineMs: 10_000, heirs: [...next.listening] }, next);
    now = next;
    const word = await drained;
    end(old, "SIGTERM");
    return { drained: word, exited: old.exited };
  }

  /** A process that has nothing left to do may have ended by itself. */
  function end({ pid }: HeldProcess, signal: NodeJS.Signals): void {
    try {
      process.kill(pid, signal);
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== "ESRCH") throw error;
    }
  }

  test("the app sees no supervisor", async () => {
    assert.equal(await ask(undefined, "/send"), "undefined");
  });

  test("the channel of a process that somebody else started is the app's own", async () => {
    const child = fork(fixture("answer-parent.mjs"), { execArgv: ["--conditions=@midflight/source", "--disable-warning=ExperimentalWarning", "--import", fixture("install-drain.mjs")] });
    const said = await new Promise((resolve) => child.once("message", resolve));
    assert.equal(said, "here");
    await new Promise((resolve) => child.once("exit", resolve));
  });

  test("a process that was given sockets answers nobody before it may, but its own supervisor", async () => {
    const next = await launch();
    for (let n = 0; n < 20; n++) assert.equal(await ask(undefined, "/"), String(edition - 1));
    const own = await next.probe({ socket: `127.0.0.1:${port}`, path: "/", isSecure: false, timeoutMs: 5000 });
    assert.deepEqual(own, { status: 200, body: String(edition) });
    process.kill(next.pid, "SIGKILL");
    await next.exited;
    assert.equal(await ask(undefined, "/"), String(edition - 1), "its end takes nothing along");
    edition -= 1;
  });

  test("an idle connection goes on in the next process, and one with a request goes on after its answer", async () => {
    const agents = [new OneConnection(), new OneConnection(), new OneConnection()];
    for (const agent of agents) assert.equal(await ask(agent, "/"), String(edition));
    const slow = ask(agents[0], "/slow");
    const { drained } = await replace();
    assert.equal(await slow, String(edition - 1));
    assert.deepEqual([drained.isSafeToStop, drained.left], [true, 0]);
    assert.ok(drained.handedOver >= 3, `${drained.handedOver} connections`);
    for (const agent of agents) assert.equal(await ask(agent, "/"), String(edition));
    assert.deepEqual(agents.map((agent) => agent.opened), [1, 1, 1], "no client had to connect again");
    for (const agent of agents) agent.destroy();
  });

  test("a connection that sent a part of a request is not given away: the rest of it is answered where it began", async () => {
    const socket = net.connect(port, "127.0.0.1");
    socket.setEncoding("utf8");
    socket.write("GET / HT");
    await untilRead(now);
    const old = edition;
    const replaced = replace();
    // Only the next process takes new connections: the drain is under way, and has looked at this one.
    for (let inTurn = 0; inTurn < 20; inTurn = (await ask(undefined, "/")) === String(old) ? 0 : inTurn + 1);
    socket.write("TP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n");
    let answer = "";
    for await (const text of socket) answer += text as string;
    assert.match(answer, new RegExp(`^HTTP/1.1 200[^]*\\r\\n\\r\\n${old}$`));
    assert.equal((await replaced).drained.isSafeToStop, true);
  });

  test("many idle connections are given away in few looks, and one that begins a request while others are on their way stays", async () => {
    const sockets = await Promise.all(Array.from({ length: 400 }, () => new Promise<net.Socket>((resolve) => {
      const socket = net.connect(port, "127.0.0.1", () => resolve(socket));
    })));
    const answer = async (socket: net.Socket): Promise<string> => String((await once(socket, "data"))[0]).replace(/^HTTP\/1.1 (\d+)[^]*\r\n\r\n/, "$1 ");
    const say = (socket: net.Socket, text: string): Promise<string> => {
      const answered = answer(socket);
      socket.write(text);
      return answered;
    };
    const old = edition;
    await Promise.all(sockets.map((socket) => say(socket, "GET / HTTP/1.1\r\nhost: x\r\n\r\n")));
    const replaced = replace();
    while ((await ask(undefined, "/")) === String(old));
    for (const socket of sockets.toReversed()) {
      socket.write("GET / HT");
      await nextTurn();
    }
    const answers = await Promise.all(sockets.map((socket) => say(socket, "TP/1.1\r\nhost: x\r\n\r\n")));
    assert.deepEqual(answers.filter((text) => text !== `200 ${old}` && text !== `200 ${edition}`), []);
    const { drained, exited } = await replaced;
    assert.equal(drained.isSafeToStop, true);
    await exited;
    const looks = Number(readFileSync(path.join(root, `looks-${old}`), "utf8"));
    assert.ok(looks < sockets.length / 2, `${looks} looks`);
    for (const socket of sockets) socket.destroy();
  });

  test("an event stream ends whole, and says when to come again", async () => {
    const text = new Promise<string>((resolve, reject) => {
      get({ port, path: "/events", agent: false }, (response) => {
        let all = "";
        response.setEncoding("utf8").on("data", (part: string) => (all += part));
        response.once("error", reject).once("end", () => resolve(all));
      });
    });
    await untilRead(now);
    await replace();
    assert.match(await text, /data: \d+\n\nretry: \d+\n$/);
  });

  test("a WebSocket is told that the service restarts (1012)", async () => {
    const { socket, first } = await upgrade(port);
    await replace();
    const frame = await first;
    assert.deepEqual([...frame], [0x88, 0x02, 0x03, 0xf4]);
    socket.destroy();
  });

  test("an HTTP/2 session answers the streams it has begun, and new ones go to the next process", async () => {
    const session = http2.connect(`http://127.0.0.1:${portH2}`);
    const goneAway = new Promise<void>((resolve) => session.once("goaway", () => resolve()));
    const begun = askH2(session);
    await untilRead(now);
    const { drained } = await replace();
    assert.equal(await begun, String(edition - 1));
    await goneAway;
    assert.equal(drained.isSafeToStop, true);
    const other = http2.connect(`http://127.0.0.1:${portH2}`);
    assert.equal(await askH2(other), String(edition));
    other.close();
  });

  test("an app that closes its server and opens it again finds its port free", async () => {
    assert.equal(await ask(undefined, "/again"), String(edition));
    await now.hear((word): word is AgentWord => word.kind === "listening");
    assert.equal(await ask(undefined, "/"), String(edition));
    assert.equal((await replace()).drained.isSafeToStop, true);
    assert.equal(await ask(undefined, "/"), String(edition));
  });

  /** Its answer proves that what was sent before has been read: one thread reads in order. */
  async function untilRead(held: HeldProcess): Promise<void> {
    await new Promise((resolve) => setTimeout(resolve, 50));
    await held.probe({ socket: `127.0.0.1:${port}`, path: "/", isSecure: false, timeoutMs: 5000 });
  }

  function ask(agent: OneConnection | undefined, at: string): Promise<string> {
    return new Promise((resolve, reject) => {
      get({ port, path: at, agent: agent ?? false }, (response) => {
        let text = "";
        response.setEncoding("utf8").on("data", (part: string) => (text += part)).once("end", () => resolve(text));
      }).once("error", reject);
    });
  }
});

/** One kept connection; counts how often it had to be opened. */
class OneConnection extends Agent {
  opened = 0;

  constructor() {
    super({ keepAlive: true, maxSockets: 1 });
    const create = this.createConnection.bind(this);
    this.createConnection = (...args) => {
      this.opened += 1;
      return create(...args);
    };
  }
}

async function upgrade(port: number): Promise<{ socket: net.Socket; first: Promise<Buffer> }> {
  return await new Promise((resolve, reject) => {
    const request = requestOf({ port, agent: false, headers: { connection: "upgrade", upgrade: "websocket", "sec-websocket-key": "dGhlIHNhbXBsZSBub25jZQ==", "sec-websocket-version": "13" } });
    request.once("error", reject);
    request.once("upgrade", (_response, socket: net.Socket) => {
      const first = new Promise<Buffer>((told) => {
        socket.once("data", (bytes: Buffer) => {
          socket.write(Buffer.from([0x88, 0x82, 0, 0, 0, 0, 0x03, 0xf4]));
          told(bytes);
        });
      });
      resolve({ socket, first });
    });
    request.end();
  });
}

function askH2(session: http2.ClientHttp2Session): Promise<string> {
  return new Promise((resolve, reject) => {
    let text = "";
    const stream = session.request({ ":path": "/" });
    session.once("error", reject);
    stream.setEncoding("utf8").on("data", (part: string) => (text += part)).once("end", () => resolve(text)).once("error", reject);
  });
}

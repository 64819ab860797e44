import assert from "node:assert/strict";
import { fork } from "node:child_process";
import { createRequire } from "node:module";
import { after, before, describe, test } from "node:test";
import { fileURLToPath } from "node:url";
import { openResumable, type Resumable, type WebSocketConstructor } from "@midflight/client";
import { startHeldService, type HeldService } from "./resume/held-service.ts";

const { WebSocket: WsWebSocket } = createRequire(import.meta.url)("ws") as { WebSocket: typeof WebSocket };
const messages = 40;
const intervalMs = 100;

describe("over a new process", { timeout: 180_000 }, () => {
  let service: HeldService;
  before(async () => (service = await startHeldService()));
  after(async () => assert.equal(await service.close(), "", "nothing went wrong in the processes"));

  for (const [name, Base, count] of [["Node's WebSocket", WebSocket, 200], ["ws", WsWebSocket, 50]] as const) {
    test(`${count} clients with ${name} go on where they were: none of their messages is lost or dealt with twice`, async (t) => {
      const [wire, before] = [new Wire(Base), service.now];
      const clients = Array.from({ length: count }, () => new Sender(`ws://127.0.0.1:${service.port}`, wire.WebSocket));
      t.after(() => clients.forEach(({ resumable }) => resumable.close()));
      await Promise.all(clients.map((client) => client.has(messages / 4)));
      const drained = await service.replace();
      await Promise.all(clients.map((client) => client.done));
      const ledgers = service.ledgers();
      let [doubled, lost] = [0, 0];
      for (const { resumable, opened, answers, ended } of clients) {
        const lines = ledgers.get(resumable.id) ?? [];
        doubled += lines.length - new Set(lines.map(({ n }) => n)).size;
        lost += messages - new Set(lines.map(({ data }) => data)).size;
        assert.deepEqual(lines.map(({ n, data }) => [n, data]), expected, "each once, in order");
        assert.deepEqual(opened, [{ isFresh: true, isFirst: true }, { isFresh: false, isFirst: false }]);
        assert.equal(new Set(lines.map(({ edition }) => edition)).size, 2, "it was under way when the process was replaced");
        assert.deepEqual(answers, answers.toSorted((a, b) => a - b), "what the server says comes in order");
        assert.deepEqual(ended, []);
        resumable.close();
      }
      assert.deepEqual(wire.closes.slice(0, count), Array.from({ length: count }, () => 1012), "each was told that the service restarts");
      assert.deepEqual([drained.isSafeToStop, drained.left], [true, 0]);
      assert.notEqual(service.now.pid, before.pid);
      t.diagnostic(`${count * messages} messages: ${lost} lost, ${doubled} doubled, ${wire.sent - count * messages} sent again; ${count} clients on the new process, drained in ${drained.tookMs} ms`);
    });
  }

  test("50 event streams resume by the id of their last event: none is lost or told twice", async (t) => {
    const before = service.now.pid;
    const child = fork(fileURLToPath(new URL("resume/fixtures/follow-events.mjs", import.meta.url)), [`http://127.0.0.1:${service.port}/events`, "50"], {
      execArgv: ["--experimental-eventsource", "--disable-warning=ExperimentalWarning"],
    });
    const hear = (word: string): Promise<Heard> =>
      new Promise((resolve, reject) => {
        child.on("message", (heard: Heard) => heard.word === word && resolve(heard)).once("exit", () => reject(new Error(`it ended and has not said ${word}`)));
      });
    const resumed = hear("once more");
    await hear("open");
    await service.replace();
    const { clients } = await resumed;
    assert.equal(clients.length, 50);
    assert.notEqual(service.now.pid, before);
    for (const { ids, opened, editions } of clients) {
      assert.deepEqual(ids, Array.from(ids, (_, i) => (ids[0] ?? NaN) + i), "each event once, in order");
      assert.deepEqual([opened, editions.length], [2, 2]);
    }
    t.diagnostic(`${clients.reduce((sum, { ids }) => sum + ids.length, 0)} events: 0 lost, 0 doubled`);
  });
});

describe("over a process that is killed", { timeout: 120_000 }, () => {
  test("a message that was dealt with and never acknowledged is sent again, and known", async () => {
    const service = await startHeldService();
    const wire = new Wire(WebSocket);
    const acknowledged: number[] = [];
    const client = openResumable(`ws://127.0.0.1:${service.port}`, { WebSocket: wire.WebSocket, onAcknowledge: (n) => acknowledged.push(n) });
    try {
      for (const data of ["one", "the last of this process", "three"]) client.send(data);
      await service.revive();
      assert.equal(await client.flushed(), true);
      assert.deepEqual(service.ledgers().get(client.id)?.map(({ n, edition, data }) => `${n} by ${edition}: ${data}`), ["1 by 1: one", "2 by 1: the last of this process", "3 by 2: three"]);
      assert.equal(acknowledged.at(-1), 3);
      assert.equal(wire.closes[0], 1006);
    } finally {
      client.close();
      assert.equal(await service.close(), "");
    }
  });
});

interface Heard {
  readonly word: string;
  readonly clients: readonly { readonly ids: readonly number[]; readonly editions: readonly string[]; readonly opened: number }[];
}

const expected = Array.from({ length: messages }, (_, i) => [i + 1, `message ${i + 1}`]);

/** Sends at its own pace, whatever becomes of the connection. */
class Sender {
  readonly resumable: Resumable;
  readonly opened: { readonly isFresh: boolean; readonly isFirst: boolean }[] = [];
  readonly answers: number[] = [];
  readonly ended: unknown[] = [];
  readonly done: Promise<void>;
  #acknowledged = 0;
  #look = (): void => undefined;

  constructor(url: string, WebSocket: WebSocketConstructor) {
    this.resumable = openResumable(url, {
      WebSocket,
      onOpen: (open) => this.opened.push(open),
      onMessage: (data) => this.answers.push(Number(data.split(" ").at(-1))),
      onEnd: (end) => this.ended.push(end),
      onAcknowledge: (n) => {
        this.#acknowledged = n;
        this.#look();
      },
    });
    this.done = this.#send();
  }

  async has(n: number): Promise<void> {
    await new Promise<void>((resolve) => (this.#look = () => this.#acknowledged >= n && resolve()));
  }

  async #send(): Promise<void> {
    await new Promise<void>((resolve) => {
      let n = 0;
      const timer = setInterval(() => {
        n += 1;
        assert.deepEqual(this.resumable.send(`message ${n}`), { kind: "queued", n });
        if (n < messages) return;
        clearInterval(timer);
        resolve();
      }, intervalMs);
    });
    assert.equal(await this.resumable.flushed(), true);
  }
}

/** What the clients' sockets did. */
class Wire {
  readonly WebSocket: WebSocketConstructor;
  readonly closes: number[] = [];
  sent = 0;

  constructor(Base: typeof WebSocket) {
    const closed = (code: number): unknown => this.closes.push(code);
    const sent = (): unknown => (this.sent += 1);
    this.WebSocket = class extends Base {
      constructor(url: string | URL, protocols?: string | string[]) {
        super(url, protocols);
        this.addEventListener("close", ({ code }) => closed(code));
      }

      override send(data: string): void {
        if (data.includes('"data"')) sent();
        super.send(data);
      }
    };
  }
}

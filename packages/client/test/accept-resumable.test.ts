import assert from "node:assert/strict";
import { EventEmitter, once } from "node:events";
import { describe, test } from "node:test";
import { acceptResumable, type AcceptOptions } from "../src/accept-resumable.ts";
import { createResumeWindow } from "../src/resume-window.ts";

const id = "0123456789abcdef";

/** A server's socket may be anything that emits what comes; this one is written to by the test. */
class Line extends EventEmitter {
  readonly said: unknown[] = [];

  send(text: string): void {
    this.said.push(JSON.parse(text));
    this.emit("said");
  }

  close(code: number): void {
    this.said.push(code);
    this.emit("said");
    this.emit("close");
  }

  take(frame: unknown): void {
    this.emit("message", typeof frame === "string" ? frame : JSON.stringify(frame), false);
  }

  async until(count: number): Promise<unknown[]> {
    while (this.said.length < count) await once(this, "said");
    return this.said;
  }
}

function openServer(options: Partial<AcceptOptions<string>> = {}): { done: string[]; connect: (from?: number, user?: string) => Line } {
  const done: string[] = [];
  const window = createResumeWindow();
  return {
    done,
    connect(from = 1, user = "") {
      const line = new Line();
      acceptResumable(line, user, { window, onMessage: ({ n, data }) => void done.push(`${n} ${data}`), ...options });
      line.take({ hello: 1, id, from });
      return line;
    },
  };
}

describe("a server", () => {
  test("deals with each message once, in order, and says what it knows to who comes again", async () => {
    const { done, connect } = openServer();
    const first = connect();
    first.take({ n: 1, data: "a" });
    first.take({ n: 2, data: "b" });
    assert.deepEqual(await first.until(3), [{ welcome: 1, last: 0, isFresh: true }, { ack: 1 }, { ack: 2 }]);
    first.emit("close");
    const second = connect();
    for (const [i, data] of ["a", "b", "c"].entries()) second.take({ n: i + 1, data });
    assert.deepEqual(await second.until(4), [{ welcome: 1, last: 2, isFresh: false }, { ack: 2 }, { ack: 2 }, { ack: 3 }]);
    assert.deepEqual(done, ["1 a", "2 b", "3 c"]);
  });

  test("that has forgotten says so, and goes on from what the client still has", async () => {
    const line = openServer().connect(8);
    line.take({ n: 8, data: "h" });
    assert.deepEqual(await line.until(2), [{ welcome: 1, last: 7, isFresh: true }, { ack: 8 }]);
  });

  test("asks where the effects are, and believes the later of both", async () => {
    let kept = 5;
    const { connect } = openServer({ lastOf: () => kept });
    assert.deepEqual(await connect(3).until(1), [{ welcome: 1, last: 5, isFresh: false }]);
    kept = 9;
    assert.deepEqual(await connect(10).until(1), [{ welcome: 1, last: 9, isFresh: false }]);
    assert.deepEqual(await connect(12).until(1), [{ welcome: 1, last: 11, isFresh: true }], "less is kept than was acknowledged");
  });

  test("closes at a gap, at what is no frame, before hello, and at what is not text", async () => {
    const gap = openServer().connect();
    gap.take({ n: 2, data: "b" });
    assert.deepEqual((await gap.until(2))[1], 1002);
    const noFrame = openServer().connect();
    noFrame.take("{}");
    assert.deepEqual(noFrame.said, [1002]);
    const early = new Line();
    acceptResumable(early, "", { onMessage: () => undefined });
    early.take({ n: 1, data: "a" });
    assert.deepEqual(early.said, [1002]);
    const binary = openServer().connect();
    binary.emit("message", new Uint8Array([123, 125]), true);
    assert.deepEqual(binary.said, [1003]);
    const large = openServer().connect();
    large.take({ n: 1, data: "€".repeat(30_000) });
    assert.deepEqual(large.said, [1009]);
  });

  test("does not acknowledge what failed: it closes, begins nothing more of this connection, and takes it again", async () => {
    const troubles: unknown[] = [];
    let fails = true;
    const seen: number[] = [];
    const { connect } = openServer({
      onTrouble: (problem) => troubles.push(problem),
      onMessage: async ({ n }) => {
        seen.push(n);
        await Promise.resolve();
        if (fails) throw new Error("no room");
      },
    });
    const line = connect();
    line.take({ n: 1, data: "a" });
    line.take({ n: 2, data: "b" });
    assert.deepEqual(await line.until(2), [{ welcome: 1, last: 0, isFresh: true }, 1011]);
    fails = false;
    const again = connect();
    again.take({ n: 1, data: "a" });
    assert.deepEqual(await again.until(2), [{ welcome: 1, last: 0, isFresh: false }, { ack: 1 }]);
    assert.deepEqual([seen, troubles.map(String)], [[1, 1], ["Error: no room"]]);
  });

  test("lets one connection speak for a client: the next one waits for what the former has begun, and takes its place", async () => {
    const done: string[] = [];
    let goOn = (): void => undefined;
    const gate = new Promise<void>((resolve) => (goOn = resolve));
    const began = new EventEmitter();
    const { connect } = openServer({
      onMessage: async ({ n, data }) => {
        began.emit("began");
        if (data === "slow") await gate;
        done.push(`${n} ${data}`);
      },
    });
    const [former, isBegun] = [connect(), once(began, "began")];
    former.take({ n: 1, data: "slow" });
    former.take({ n: 2, data: "from the former" });
    await isBegun;
    const next = connect();
    assert.deepEqual(former.said.at(-1), 1008);
    next.take({ n: 1, data: "slow" });
    next.take({ n: 2, data: "from the next" });
    assert.deepEqual(next.said, [], "not welcomed before what had begun has ended");
    goOn();
    assert.deepEqual(await next.until(3), [{ welcome: 1, last: 1, isFresh: false }, { ack: 1 }, { ack: 2 }]);
    assert.deepEqual(done, ["1 slow", "2 from the next"]);
  });

  test("resumes nobody for somebody else", async () => {
    const { connect } = openServer({ ownerOf: (user) => user });
    const ann = connect(1, "ann");
    ann.take({ n: 1, data: "a" });
    await ann.until(2);
    assert.deepEqual(await connect(1, "bob").until(1), [{ welcome: 1, last: 0, isFresh: true }]);
    assert.deepEqual(ann.said.at(-1), { ack: 1 }, "she is not closed");
  });

  test("sends away who sends more than may wait; they may come again", async () => {
    const line = openServer({ maxPending: 2, onMessage: () => new Promise(() => undefined) }).connect();
    for (let n = 1; n <= 4; n++) line.take({ n, data: "" });
    assert.equal(line.said.at(-1), 1013);
  });
});

import assert from "node:assert/strict";
import { EventEmitter, once } from "node:events";
import { mkdtempSync, readdirSync, rmSync, utimesSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { afterEach, beforeEach, describe, test } from "node:test";
import { agentTransitions, isMidflightError, type AgentEvent, type AgentState, type Blob, type Report, type SwapOutcome } from "@midflight/protocol";
import { sha256 } from "@midflight/trust";
import { BlobCache } from "../src/blob-cache.ts";
import { isWorse } from "../src/health.ts";
import { Machine } from "../src/machine.ts";
import { Pace } from "../src/pace.ts";
import { ReportQueue } from "../src/report-queue.ts";

function blob(text: string): Blob {
  return { digest: sha256(text), bytes: new TextEncoder().encode(text) };
}

function refusal(n: number): SwapOutcome {
  return { kind: "refused", release: sha256(String(n)), code: "INTERNAL", reason: String(n), unit: null };
}

describe("the blob cache", () => {
  let directory: string;
  beforeEach(() => {
    directory = mkdtempSync(path.join(tmpdir(), "midflight-cache-"));
  });
  afterEach(() => rmSync(directory, { recursive: true, force: true }));

  test("gives back what it was given, and nothing else", async () => {
    const cache = new BlobCache(path.join(directory, "blobs"));
    assert.equal(await cache.keep([blob("a"), blob("b")]), true);
    const found = await cache.read([sha256("a"), sha256("c")], new Pace());
    assert.deepEqual([...found.keys()], [sha256("a")]);
  });

  test("gives back what it is to keep soon, before and after it is on the disk", async () => {
    const cache = new BlobCache(directory);
    cache.keepSoon([blob("a"), blob("b")]);
    assert.deepEqual(readdirSync(directory), []);
    const both = [sha256("a"), sha256("b")];
    assert.equal((await cache.read(both, new Pace())).size, 2);
    await cache.settled();
    assert.equal(readdirSync(directory).length, 2);
    assert.equal((await cache.read(both, new Pace())).size, 2);
    assert.equal((await new BlobCache(directory).read(both, new Pace())).size, 2);
  });

  test("keeps anew what a sibling has removed or somebody has damaged", async () => {
    const cache = new BlobCache(directory);
    await cache.keep([blob("a"), blob("b")]);
    rmSync(path.join(directory, sha256("a").slice(7)));
    writeFileSync(path.join(directory, sha256("b").slice(7)), "B");
    assert.equal((await cache.read([sha256("a"), sha256("b")], new Pace())).size, 0);
    cache.keepSoon([blob("a"), blob("b")]);
    await cache.settled();
    assert.equal((await new BlobCache(directory).read([sha256("a"), sha256("b")], new Pace())).size, 2);
  });

  test("drops a damaged blob instead of giving it back", async () => {
    const cache = new BlobCache(directory);
    await cache.keep([blob("a")]);
    writeFileSync(path.join(directory, sha256("a").slice(7)), "A");
    assert.equal((await cache.read([sha256("a")], new Pace())).size, 0);
    assert.deepEqual(readdirSync(directory), []);
  });

  test("removes the oldest blobs beyond its bound, but none that is needed", async () => {
    const cache = new BlobCache(directory);
    for (const [i, text] of ["1111", "2222", "3333", "4444"].entries()) {
      await cache.keep([blob(text)]);
      utimesSync(path.join(directory, sha256(text).slice(7)), i, i);
    }
    await cache.prune(new Set([sha256("1111")]), 8);
    assert.deepEqual(new Set(readdirSync(directory)), new Set([sha256("1111").slice(7), sha256("4444").slice(7)]));
  });

  test("removes a quarter of its blobs when there are too many, the oldest first", async () => {
    const cache = new BlobCache(directory);
    const texts = ["1", "2", "3", "4", "5"];
    await cache.read([], new Pace());
    for (const [i, text] of texts.entries()) {
      await cache.keep([blob(text)]);
      utimesSync(path.join(directory, sha256(text).slice(7)), i, i);
      await cache.prune(new Set([sha256("1")]), 1000, 4);
    }
    assert.equal(readdirSync(directory).length, 5, "the one that is needed does not count");
    await cache.keep([blob("6")]);
    await cache.prune(new Set([sha256("1")]), 1000, 4);
    assert.deepEqual(new Set(readdirSync(directory)), new Set(["1", "4", "5", "6"].map((text) => sha256(text).slice(7))));
  });

  test("is written when somebody waits for it, not before", async () => {
    const cache = new BlobCache(directory);
    cache.keepSoon([blob("a")]);
    cache.keepSoon([blob("b")]);
    assert.deepEqual(readdirSync(directory), []);
    await cache.settled();
    assert.equal(readdirSync(directory).length, 2);
  });

  test("knows that its bound is passed also by what came after it was looked at", async () => {
    const cache = new BlobCache(directory);
    await cache.keep([blob("1111")]);
    await cache.prune(new Set(), 8);
    await cache.keep([blob("2222")]);
    await cache.prune(new Set(), 8);
    assert.equal(readdirSync(directory).length, 2);
    utimesSync(path.join(directory, sha256("1111").slice(7)), 1, 1);
    await cache.keep([blob("3333")]);
    await cache.prune(new Set(), 8);
    assert.deepEqual(new Set(readdirSync(directory)), new Set([sha256("2222").slice(7), sha256("3333").slice(7)]));
  });

  test("that cannot be written only says so", async () => {
    writeFileSync(path.join(directory, "file"), "");
    assert.equal(await new BlobCache(path.join(directory, "file")).keep([blob("a")]), false);
  });
});

describe("the machine", () => {
  test("walks exactly the transitions of the table, and takes any other event for a bug", () => {
    const ways = new Map<AgentState, readonly AgentEvent[]>([["starting", []]]);
    for (const [state, path_] of ways) {
      for (const [event, to] of Object.entries(agentTransitions[state]) as [AgentEvent, AgentState | null][]) {
        const machine = new Machine(() => undefined);
        for (const step of path_) machine.on(step);
        assert.equal(machine.state, state);
        if (to === null) {
          assert.throws(() => machine.on(event), (e) => isMidflightError(e) && e.code === "INTERNAL");
          assert.equal(machine.state, state);
          continue;
        }
        machine.on(event);
        assert.equal(machine.state, to);
        if (!ways.has(to)) ways.set(to, [...path_, event]);
      }
    }
    assert.deepEqual(new Set(ways.keys()), new Set(Object.keys(agentTransitions)), "every state can be reached");
  });
});

describe("answers after a swap", () => {
  test("are worse only if clearly more of them fail than before", () => {
    assert.equal(isWorse({ answers: 100, failures: 0 }, { answers: 4, failures: 4 }), false, "too few to tell");
    assert.equal(isWorse({ answers: 100, failures: 0 }, { answers: 20, failures: 5 }), true);
    assert.equal(isWorse({ answers: 0, failures: 0 }, { answers: 5, failures: 5 }), true);
    assert.equal(isWorse({ answers: 100, failures: 50 }, { answers: 20, failures: 10 }), false, "they failed before");
    assert.equal(isWorse({ answers: 100, failures: 0 }, { answers: 100, failures: 9 }), false);
  });
});

describe("the report queue", () => {
  const identity = { agent: "a", target: "web-1", service: "web", host: "h", pid: 1, thread: 0, runtime: "node", startedAt: "" };

  test("keeps the order, drops the oldest beyond its bound, and sends each once", async () => {
    const sent: Report[] = [];
    let isAway = true;
    const events = new EventEmitter();
    const firstTry = once(events, "tried");
    const done = once(events, "done");
    const queue = new ReportQueue({
      identity, channel: "c", boot: null, signal: new AbortController().signal, onTrouble: () => undefined,
      registry: {
        report: async (reports) => {
          events.emit("tried");
          if (isAway) throw new Error("away");
          sent.push(...reports);
          if (sent.at(-1)?.counter === 299) events.emit("done");
        },
      },
    });
    for (let i = 0; i < 300; i++) queue.add(i, refusal(i));
    await firstTry;
    isAway = false;
    // The process would not be kept alive by the queue's timer: that is what it promises.
    const alive = setInterval(() => undefined, 1000);
    await done;
    clearInterval(alive);
    assert.deepEqual(sent.map((r) => r.counter), Array.from({ length: 200 }, (_, i) => i + 100));
    assert.equal(new Set(sent.map((r) => r.id)).size, 200);
  });
});

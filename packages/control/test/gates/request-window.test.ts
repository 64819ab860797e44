import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { RequestWindow, warmUpMs, type ServiceWindow } from "../../src/gates/request-window.ts";
import { measuredBeat, r1, r2 } from "./measured-beat.ts";

const question = { wave: ["web-1"], release: r2, before: r1, sinceMs: 1000 };
const total = (counts: readonly number[]): number => counts.reduce((sum, count) => sum + count, 0);

function tell([window]: readonly ServiceWindow[]): Record<string, readonly number[]> {
  return Object.fromEntries((["wave", "others", "past"] as const).map((name) => [name, [window![name].requests, window![name].errors, total(window![name].latency)]]));
}

describe("the window of a wave", () => {
  test("holds what came after its beginning, of those that ran the release before on", () => {
    const window = new RequestWindow(() => 2000);
    window.read(question, [measuredBeat("web-2", [{ release: r1, requests: 1000, errors: 10 }])]);
    assert.deepEqual(tell(window.read(question, [measuredBeat("web-2", [{ release: r1, requests: 1100, errors: 11 }])]))["others"], [100, 1, 100]);
  });

  test("holds all that the new release did, but for latencies of its first seconds", () => {
    let now = 2000;
    const window = new RequestWindow(() => now);
    const at = (requests: number, errors: number): Record<string, readonly number[]> => tell(window.read(question, [measuredBeat("web-1", [{ release: r1, requests: 500 }, { release: r2, requests, errors, sinceMs: 1500 }])]));
    assert.deepEqual(at(5, 2)["wave"], [5, 2, 0]);
    now += warmUpMs - 1;
    assert.deepEqual(at(20, 3)["wave"], [20, 3, 0]);
    now += 1;
    assert.deepEqual(at(50, 4), { wave: [50, 4, 30], others: [0, 0, 0], past: [500, 0, 500] });
  });

  test("leaves out what a new process answered before its wave was looked at", () => {
    let now = 2000;
    const window = new RequestWindow(() => now);
    const at = (requests: number, errors: number): Record<string, readonly number[]> => tell(window.read(question, [measuredBeat("web-1", [{ release: r2, requests, errors, sinceMs: 1500 }], { boot: r2 })]));
    assert.deepEqual(at(0, 0)["wave"], [0, 0, 0]);
    // It was answered before the first look, and is told after it.
    now += 5000 + warmUpMs - 1;
    assert.deepEqual(at(30, 29)["wave"], [0, 0, 0]);
    now += 1;
    assert.deepEqual(at(130, 30)["wave"], [100, 1, 100]);
  });

  test("begins anew for a release that a process ran before", () => {
    const window = new RequestWindow(() => 9000);
    const had = [{ release: r2, requests: 700, errors: 700, sinceMs: 10 }, { release: r1, requests: 500, sinceMs: 500 }];
    window.read(question, [measuredBeat("web-1", had)]);
    assert.deepEqual(tell(window.read(question, [measuredBeat("web-1", [...had, { release: r2, requests: 3, sinceMs: 2000 }])]))["wave"], [3, 0, 0]);
  });

  test("keeps what a process said before it ended, and adds its successor", () => {
    const window = new RequestWindow(() => 2000);
    window.read(question, [measuredBeat("web-1", [{ release: r2, requests: 10, errors: 10, sinceMs: 1500 }])]);
    assert.deepEqual(tell(window.read(question, [measuredBeat("web-1", [{ release: r2, requests: 4, sinceMs: 1900 }], { agent: "next" })]))["wave"]!.slice(0, 2), [14, 10]);
  });

  test("knows the past of a process that was replaced before anybody asked", () => {
    const window = new RequestWindow(() => 2000);
    window.note([measuredBeat("web-1", [{ release: r1, requests: 300 }])]);
    const read = tell(window.read(question, [measuredBeat("web-1", [{ release: r2, requests: 4, sinceMs: 1900 }], { agent: "next" })]));
    assert.deepEqual([read["wave"]![0], read["past"]![0]], [4, 300]);
  });

  test("takes threads and children for their process", () => {
    const window = new RequestWindow(() => 2000);
    const of = (target: string): Parameters<RequestWindow["read"]>[1][number] => measuredBeat(target, [{ release: r2, requests: 1, sinceMs: 1500 }]);
    assert.equal(tell(window.read(question, [of("web-1"), of("web-1#3"), of("web-1/77"), of("web-1/77#2"), of("web-10")]))["wave"]![0], 4);
  });

  test("is another for each question", () => {
    const window = new RequestWindow(() => 2000);
    const beats = [measuredBeat("web-1", [{ release: r2, requests: 10, sinceMs: 1500 }])];
    window.read(question, beats);
    assert.deepEqual(tell(window.read({ ...question, sinceMs: 1800 }, beats))["wave"], [0, 0, 0]);
  });
});

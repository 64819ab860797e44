import assert from "node:assert/strict";
import { describe, test, type TestContext } from "node:test";
import { setImmediate as nextTurn } from "node:timers/promises";
import { Pace } from "../src/pace.ts";
import { turn } from "../src/turn.ts";

/** A clock that only work moves, so that nothing depends on how busy the machine is. */
function workClock(t: TestContext): { work: (ms: number) => void; perTurn: () => number[]; stop: () => void } {
  let now = 1000;
  let used = 0;
  let isOn = true;
  const turns: number[] = [];
  t.mock.method(performance, "now", () => now);
  const look = (): void => {
    turns.push(used);
    used = 0;
    if (isOn) setImmediate(look);
  };
  setImmediate(look);
  t.after(() => (isOn = false));
  return {
    work: (ms) => {
      now += ms;
      used += ms;
    },
    perTurn: () => turns.map((ms) => Math.round(ms * 100) / 100),
    stop: () => (isOn = false),
  };
}

describe("work of the agent", () => {
  test("that is sliced in several places at once holds a turn of the event loop no longer than one slice and one piece", async (t) => {
    await turn.next();
    const { work, perTurn, stop } = workClock(t);
    const one = async (): Promise<Pace> => {
      const pace = new Pace();
      for (let i = 0; i < 20; i++) {
        work(0.2);
        await pace.breathe();
      }
      return pace;
    };
    const paces = await Promise.all([one(), one(), one()]);
    stop();
    await nextTurn();
    assert.equal(Math.round(perTurn().reduce((sum, ms) => sum + ms, 0) * 10), 120, "all of it was seen");
    // Three begin in the same turn, before any of them can know.
    assert.ok(Math.max(...perTurn()) <= 1.1, perTurn().join(" "));
    assert.ok(Math.max(...perTurn().slice(2)) <= 0.7, perTurn().join(" "));
    for (const pace of paces) assert.ok(pace.longestMs >= 0.5 && pace.longestMs <= 1.1, String(pace.longestMs));
  });

  test("that begins in a turn of which others took their share waits for the next", async (t) => {
    await turn.next();
    const { work, stop } = workClock(t);
    const first = new Pace();
    work(0.5);
    void first.breathe();
    const second = new Pace();
    work(0.01);
    let isLater = false;
    setImmediate(() => (isLater = true));
    await second.breathe();
    assert.equal(isLater, true);
    stop();
  });

  test("that waits for a turn gets one of its own, in the order in which it came", async () => {
    const order: string[] = [];
    const wait = async (name: string): Promise<void> => {
      await turn.next();
      order.push(name);
    };
    const all = ["a", "b", "c"].map(wait);
    const turns = (async () => {
      for (let i = 0; i < 6; i++) {
        await nextTurn();
        order.push("-");
      }
    })();
    await Promise.all([...all, turns]);
    assert.match(order.join(""), /a-+b-+c/);
  });

  test("that waited for something else does not count what went by", async (t) => {
    await turn.next();
    const { work, stop } = workClock(t);
    const pace = new Pace();
    work(50);
    pace.resume();
    work(0.1);
    await pace.breathe();
    stop();
    assert.ok(pace.longestMs < 1, String(pace.longestMs));
  });
});

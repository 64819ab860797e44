import assert from "node:assert/strict";
import { AsyncLocalStorage } from "node:async_hooks";
import { describe, test } from "node:test";
import { setImmediate as turn } from "node:timers/promises";
import { Hold } from "../../src/runtime/hold.ts";

const here = (): boolean => false;

describe("held requests", () => {
  test("begin in their order, in the context that each came in, and after the turn that let them", async () => {
    const hold = new Hold();
    const storage = new AsyncLocalStorage<string>();
    const begun: string[] = [];
    hold.start(10, () => assert.fail("it is not full"));
    assert.equal(hold.isOn, true);
    for (const name of ["a", "b", "c"]) storage.run(name, () => hold.add({ begin: () => begun.push(`${name} in ${storage.getStore()}`), isGone: here }));
    storage.run("release", () => hold.release());
    assert.deepEqual([hold.isOn, begun], [false, []]);
    await turn();
    assert.deepEqual(begun, ["a in a", "b in b", "c in c"]);
  });

  test("are not begun if nobody waits for them any more", async () => {
    const hold = new Hold();
    const begun: string[] = [];
    let isGone = false;
    hold.start(10, () => undefined);
    hold.add({ begin: () => begun.push("gone"), isGone: () => isGone });
    hold.add({ begin: () => begun.push("here"), isGone: here });
    isGone = true;
    hold.release();
    await turn();
    assert.deepEqual(begun, ["here"]);
  });

  test("are told of when there are more than may be, and that one is held with the others", async () => {
    const hold = new Hold();
    let full = 0;
    let begun = 0;
    hold.start(2, () => (full += 1));
    const one = { begin: () => (begun += 1), isGone: here };
    hold.add(one);
    hold.add(one);
    assert.equal(full, 0);
    hold.add(one);
    assert.equal(full, 1);
    hold.release();
    await turn();
    assert.equal(begun, 3);
  });

  test("throw as if nobody had held them, and the next one begins all the same", async () => {
    const hold = new Hold();
    const thrown: unknown[] = [];
    const listeners = process.listeners("uncaughtException");
    process.removeAllListeners("uncaughtException");
    process.once("uncaughtException", (error) => thrown.push(error));
    try {
      const begun: string[] = [];
      hold.start(10, () => undefined);
      hold.add({ begin: () => { throw new Error("the app's own"); }, isGone: here });
      hold.add({ begin: () => begun.push("next"), isGone: here });
      hold.release();
      while (begun.length === 0) await turn();
      assert.match(String(thrown[0]), /the app's own/);
    } finally {
      for (const listener of listeners) process.on("uncaughtException", listener);
    }
  });

  test("are none after the release, and a second release is nothing", () => {
    const hold = new Hold();
    hold.release();
    assert.equal(hold.isOn, false);
  });
});

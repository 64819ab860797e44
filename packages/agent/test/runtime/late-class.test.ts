import assert from "node:assert/strict";
import { after, describe, test } from "node:test";
import { LiveUnits, type Files } from "../support/live-units.ts";

interface Made {
  readonly C: { readonly prototype: object };
}

/** A unit is there while it waits at its top level, and its class is not. */
describe("a class that is made after two swaps has what the second one says:", () => {
  const open: LiveUnits[] = [];
  after(() => {
    for (const live of open) live.close();
  });

  const unit = (members: string): Files => ({ "m.mjs": `await globalThis.mayGoOn;\nexport class C { first(){ return 1; } ${members} }` });

  async function membersAfter(boot: string, next: string): Promise<string[]> {
    const global = globalThis as { mayGoOn?: Promise<void> };
    let goOn = (): void => undefined;
    global.mayGoOn = new Promise((resolve) => (goOn = resolve));
    const live = new LiveUnits(unit(boot));
    open.push(live);
    try {
      const loading = live.load("m.mjs");
      while (!live.runtime.loaded.has("m.mjs")) await new Promise(setImmediate);
      for (const members of [next, boot]) assert.equal((await live.swap(unit(members))).kind, "committed");
      goOn();
      const { C } = (await loading) as unknown as Made;
      return Object.getOwnPropertyNames(C.prototype);
    } finally {
      delete global.mayGoOn;
    }
  }

  test("those that were removed and given back", async () => {
    assert.deepEqual(await membersAfter("gone(){ return 2; }", ""), ["constructor", "first", "gone"]);
  });
});

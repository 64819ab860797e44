import assert from "node:assert/strict";
import { Session } from "node:inspector/promises";
import { afterEach, beforeEach, describe, test } from "node:test";
import { hookSymbol } from "@midflight/planner";
import type { Drift } from "@midflight/protocol";
import type { Door } from "../../src/runtime/instance.ts";
import { LiveUnits, type Exports, type Files } from "../support/live-units.ts";

const textOf = (n: number): Files => ({
  "m.mjs": `export class Counter {
  total = 0;
  add() { return (this.total += ${n}); }
  get twice() { return this.total * 2 + ${n} - ${n}; }
  #secret() { return ${n}; }
  tell() { return this.#secret(); }
}
export function price(cents) { return cents * ${n}; }
export const name = () => "n${n}";
export const counter = new Counter();
export const look = () => [price(1), name(), counter.tell()${n > 1 ? ", added()" : ""}];
${n > 1 ? `function added() { return ${n}; }\n` : ""}`,
});

describe("reading back what is live", () => {
  let live: LiveUnits;
  let module: Exports;
  /** The scope of the module, as a debugger has it. */
  let inModule: Door;

  beforeEach(async () => {
    live = new LiveUnits(textOf(1));
    const key = Symbol.for(hookSymbol);
    const hook = (globalThis as Record<symbol, unknown>)[key] as { add(unit: string, tag: string, url: string, door: Door): unknown };
    Object.defineProperty(globalThis, key, {
      configurable: true,
      value: { ...hook, add(unit: string, tag: string, url: string, door: Door) { inModule = door; return hook.add(unit, tag, url, door); } },
    });
    module = await live.load("m.mjs");
  });
  afterEach(() => live.close());

  async function driftOf(): Promise<readonly Drift[]> {
    const readings = await live.runtime.readTexts();
    assert.ok(readings !== null);
    return readings.drift;
  }
  const one = (declaration: string, kind: Drift["kind"]): Drift => ({ unit: "m.mjs", declaration, kind });

  test("names each changed declaration with the digest of its running text, and finds no fault", async () => {
    await live.swap(textOf(2));
    const readings = await live.runtime.readTexts();
    assert.deepEqual(readings?.drift, []);
    const digests = new Map(readings?.texts.declarations.map(({ unit, declaration, digest }) => [`${unit} ${declaration}`, digest]));
    assert.deepEqual([...digests.keys()].sort(), ["Counter.#secret()", "Counter.add()", "Counter.twice()", "added()", "look()", "name()", "price()"].map((name) => `m.mjs ${name}`).sort());
    assert.equal(readings?.texts.count, 7);
    assert.equal(new Set(digests.values()).size, 7);
  });

  test("gives the same digest to whoever came the other way, and another to another release", async () => {
    const digest = async (): Promise<string | undefined> => (await live.runtime.readTexts())?.texts.digest;
    await live.swap(textOf(2));
    const two = await digest();
    await live.swap(textOf(3));
    assert.notEqual(await digest(), two);
    await live.swap(textOf(2));
    assert.equal(await digest(), two);
    await live.swap(textOf(1));
    assert.equal((await live.runtime.readTexts())?.texts.count, 0, "nothing lies over what was loaded");
  });

  test("finds a method and an accessor that somebody replaced on the class, and finds them whole again", async () => {
    await live.swap(textOf(2));
    assert.deepEqual(await driftOf(), []);
    const { prototype } = module["Counter"] as unknown as { prototype: object };
    const [add, twice] = ["add", "twice"].map((name) => Object.getOwnPropertyDescriptor(prototype, name)!) as [PropertyDescriptor, PropertyDescriptor];
    Object.defineProperty(prototype, "add", { ...add, value: () => 0 });
    assert.deepEqual(await driftOf(), [one("Counter.add()", "replaced")]);
    Reflect.deleteProperty(prototype, "twice");
    assert.deepEqual(await driftOf(), [one("Counter.add()", "replaced"), one("Counter.twice()", "replaced")]);
    Object.defineProperty(prototype, "add", add);
    Object.defineProperty(prototype, "twice", twice);
    assert.deepEqual(await driftOf(), []);
  });

  test("takes for the app's own what it had in a method's place before the first swap", async () => {
    const { prototype } = module["Counter"] as unknown as { prototype: { add: (this: object) => number } };
    const { add } = prototype;
    prototype.add = function () { return add.call(this) + 100; };
    await live.swap(textOf(2));
    assert.deepEqual(await driftOf(), []);
    assert.equal((module["counter"] as unknown as { add(): number }).add(), 102);
  });

  test("finds a function that somebody bound to its name instead", async () => {
    await live.swap(textOf(2));
    assert.deepEqual(await driftOf(), []);
    inModule("price = () => 0");
    assert.deepEqual(await driftOf(), [one("price()", "replaced")]);
  });

  test("finds that calls do not reach the release's code any more, and the next swap mends that", async () => {
    await live.swap(textOf(2));
    const { slot } = live.overlay(textOf(2)).units[0]!.ops.bodies.find(({ name }) => name === "price")!;
    inModule(`${slot} = undefined`);
    assert.deepEqual(await driftOf(), [one("price()", "guard")]);
    await live.swap(textOf(3));
    assert.deepEqual(await driftOf(), []);
    assert.equal(module["price"]!(1), 3);
  });

  test("finds a body that a debugger has edited", async () => {
    const session = new Session();
    session.connect();
    const scripts: string[] = [];
    session.on("Debugger.scriptParsed", ({ params }) => void (params.url.includes("m.mjs?mf=") && scripts.push(params.scriptId)));
    await session.post("Debugger.enable");
    try {
      await live.swap(textOf(2));
      for (const scriptId of scripts) {
        const { scriptSource } = await session.post("Debugger.getScriptSource", { scriptId });
        if (scriptSource.includes("cents * 2")) await session.post("Debugger.setScriptSource", { scriptId, scriptSource: scriptSource.replace("cents * 2", "cents * 7") });
      }
      assert.equal(module["price"]!(1), 7, "the edit took effect");
      assert.deepEqual(await driftOf(), [one("price()", "text")]);
    } finally {
      session.disconnect();
    }
  });

  test("says nothing of two releases at once", async () => {
    await live.swap(textOf(2));
    const two = await live.runtime.readTexts();
    const reading = live.runtime.readTexts();
    await live.swap(textOf(3));
    const readings = await reading;
    assert.ok(readings === null || readings.texts.digest === two?.texts.digest);
  });
});

import assert from "node:assert/strict";
import { AsyncResource } from "node:async_hooks";
import { after, describe, test } from "node:test";
import { LiveUnits, type Files } from "../support/live-units.ts";

const text = (members: string): Files => ({ "m.mjs": `export class Base{ spare(){ return "inherited"; } }\nexport class C extends Base{ first(){ return 1; } ${members} last(){ return 1; } }\nexport const made=new C();` });
const A = text('spare(){ return "own"; } get size(){ return 5; } set size(n){ this.n=n; } static make(){ return "made"; }');
const B = text("");

interface Made {
  spare(): string;
  size: unknown;
}
interface Module {
  readonly C: { make?(): string; readonly prototype: object };
  readonly made: Made;
}

describe("a member that a release no longer has", () => {
  const open: LiveUnits[] = [];
  after(() => {
    for (const live of open) live.close();
  });
  async function boot(files: Files): Promise<{ live: LiveUnits; module: Module; seen: () => unknown[] }> {
    const live = new LiveUnits(files, "request");
    open.push(live);
    const module = (await live.load("m.mjs")) as unknown as Module;
    const seen = (): unknown[] => [module.made.spare(), module.made.size, module.C.make?.(), "size" in module.made, "make" in module.C];
    return { live, module, seen };
  }
  const before = ["own", 5, "made", true, true];
  const gone = ["inherited", undefined, undefined, false, false];

  test("is taken from its class, and what it hid is found instead", async () => {
    const { live, module, seen } = await boot(A);
    assert.deepEqual(seen(), before);
    assert.equal((await live.swap(B)).kind, "committed");
    assert.deepEqual(seen(), gone);
    module.made.size = 7;
    assert.deepEqual(Object.entries(module.made), [["size", 7]], "what is assigned is the object's own");
  });

  test("is given back by the way back, at its place among the others", async () => {
    const { live, module, seen } = await boot(A);
    const order = Reflect.ownKeys(module.C.prototype);
    await live.swap(B);
    await live.swap(A);
    assert.deepEqual(seen(), before);
    assert.deepEqual(Reflect.ownKeys(module.C.prototype), order);
    await live.swap(B);
    assert.deepEqual(seen(), gone);
  });

  test("is found by requests of the former release, and by those alone, until the last of them has ended", async () => {
    const { live, module, seen } = await boot(A);
    let end = (): void => undefined;
    const ended = new Promise<void>((resolve) => (end = resolve));
    let ask = (): unknown[] => [];
    const request = live.runtime.run(async () => {
      ask = AsyncResource.bind(() => [module.made.spare(), module.made.size, module.C.make?.()]);
      await ended;
    });
    assert.equal((await live.swap(B)).kind, "committed");
    assert.deepEqual(ask(), ["own", 5, "made"]);
    assert.deepEqual(seen().slice(0, 3), gone.slice(0, 3));
    end();
    await request;
    await live.runtime.single();
    assert.deepEqual(seen(), gone);
  });

  test("is not touched where it is not the class's own any more: the swap is refused", async () => {
    const { live, module, seen } = await boot(A);
    Object.defineProperty(module.C.prototype, "spare", { value: () => "wrapped", configurable: true });
    const staged = await live.stage(B);
    assert.match(staged.kind === "refused" ? staged.reason : "", /C\.spare\(\) is to be removed, but what is there is not what its class came with/);
    assert.deepEqual(seen(), ["wrapped", ...before.slice(1)]);
  });

  test("that an update had added goes with the way back", async () => {
    const { live, module, seen } = await boot(B);
    await live.swap(A);
    assert.deepEqual(seen(), before);
    await live.swap(B);
    assert.deepEqual(seen(), gone);
    await live.swap(A);
    assert.deepEqual(seen(), before);
    assert.ok(Object.hasOwn(module.C.prototype, "spare"));
  });

  test("is taken from a class that is made after the swap", async () => {
    const live = new LiveUnits(A);
    open.push(live);
    const overlay = live.overlay(B);
    assert.equal(live.runtime.adopt(overlay).kind, "adopted");
    const module = (await live.load("m.mjs")) as unknown as Module;
    assert.deepEqual([module.made.spare(), module.made.size, module.C.make?.()], gone.slice(0, 3));
  });
});

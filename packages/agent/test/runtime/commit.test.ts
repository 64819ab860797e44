import assert from "node:assert/strict";
import { after, describe, test } from "node:test";
import { LiveUnits, type Files } from "../support/live-units.ts";

const count = 5;
const names = Array.from({ length: count }, (_, i) => `u${i}.mjs`);
const unit = (n: number, more: string): string => `export class C{ v(){ return ${n}; } ${more} }\nexport function f(){ return ${n}; }\nexport const instance=new C();\nexport const all=()=>[f(),instance.v(),typeof instance.extra];`;
const A: Files = Object.fromEntries(names.map((name) => [name, unit(1, "")]));
const B: Files = Object.fromEntries(names.map((name) => [name, unit(2, "extra(){ return 3; }")]));

describe("a commit", () => {
  const open: LiveUnits[] = [];
  after(() => {
    for (const live of open) live.close();
  });
  const boot = (files: Files): LiveUnits => {
    const live = new LiveUnits(files);
    open.push(live);
    return live;
  };

  for (let failing = 0; failing < count; failing++) {
    test(`that fails in unit ${failing + 1} of ${count} leaves all of them as they were, and the next one goes through`, async () => {
      const live = boot(A);
      const modules = await Promise.all(names.map((name) => live.load(name)));
      const seen = (): unknown[] => modules.map((module) => module["all"]!());
      // A method cannot be added to a prototype that is not extensible.
      const home = (modules[failing]!["C"] as unknown as { prototype: object }).prototype;
      const descriptors = Object.getOwnPropertyDescriptors(home);
      Object.freeze(home);
      const failed = await live.swap(B);
      assert.equal(failed.kind, "undone");
      assert.match(failed.kind === "undone" ? failed.reason : "", /everything it had written was taken back/);
      assert.deepEqual(seen(), names.map(() => [1, 1, "undefined"]));
      assert.deepEqual(Object.keys(Object.getOwnPropertyDescriptors(home)), Object.keys(descriptors));
      const next = await live.swap(Object.fromEntries(names.map((name) => [name, unit(4, "")])));
      assert.equal(next.kind, "committed");
      assert.deepEqual(seen(), names.map(() => [4, 4, "undefined"]));
    });
  }

  test("over all units shows every one of them the new code, and the way back the old", async () => {
    const live = boot(A);
    const modules = await Promise.all(names.map((name) => live.load(name)));
    const first = await live.swap(B);
    assert.equal(first.kind, "committed");
    assert.deepEqual(modules.map((module) => module["all"]!()), names.map(() => [2, 2, "function"]));
    const back = await live.swap(A);
    assert.deepEqual(modules.map((module) => (module["all"]!() as unknown[]).slice(0, 2)), names.map(() => [1, 1]));
    assert.equal(first.kind === "committed" && back.kind === "committed" && first.live !== back.live, true);
  });

  test("says the same digest for the same code, by whatever way it came there", async () => {
    const bootAll = async (): Promise<LiveUnits> => {
      const live = boot(A);
      for (const name of names) await live.load(name);
      return live;
    };
    const [straight, around] = [await bootAll(), await bootAll()];
    const direct = await straight.swap(B);
    await around.swap({ ...A, "u0.mjs": unit(9, "") });
    const detour = await around.swap(B);
    assert.deepEqual(direct.kind === "committed" && direct.live, detour.kind === "committed" && detour.live);
  });

  test("is not reached by a transition whose last unit starts from another text; nothing changes", async () => {
    const live = boot(A);
    const modules = await Promise.all(names.map((name) => live.load(name)));
    const overlay = live.overlay(B);
    const last = overlay.units.at(-1)!;
    const foreign = { ...overlay, units: [...overlay.units.slice(0, -1), { ...last, birth: `sha256:${"0".repeat(64)}` as const }] };
    const staged = await live.runtime.stage(foreign);
    assert.deepEqual(staged.kind === "refused" && [staged.code, staged.unit], ["OVERLAY_FAILED", last.ops.unit]);
    assert.deepEqual(modules.map((module) => module["all"]!()), names.map(() => [1, 1, "undefined"]));
  });

  test("is not reached by a transition with a piece beyond its artifact", async () => {
    const live = boot(A);
    await Promise.all(names.map((name) => live.load(name)));
    const overlay = live.overlay(B);
    const [first, ...rest] = overlay.units;
    const staged = await live.runtime.stage({ ...overlay, units: [{ ...first!, text: first!.text.slice(0, 20) }, ...rest] });
    assert.equal(staged.kind, "refused");
  });
});

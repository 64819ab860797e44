import assert from "node:assert/strict";
import { after, describe, test } from "node:test";
import type { CommitResult, Overlay } from "../../src/runtime/runtime.ts";
import { LiveUnits, type Files } from "../support/live-units.ts";

/** What staging was told yes to may be otherwise when it comes to the commit: the app has run in between. */
describe("what was checked before the commit is true at the commit:", () => {
  const open: LiveUnits[] = [];
  after(() => {
    for (const live of open) live.close();
  });
  const boot = (files: Files): LiveUnits => {
    const live = new LiveUnits(files);
    open.push(live);
    return live;
  };
  async function commitAfter(live: LiveUnits, overlay: Overlay, meanwhile: () => unknown): Promise<CommitResult> {
    const staged = await live.runtime.stage(overlay);
    assert(staged.kind === "staged", staged.kind === "refused" ? staged.reason : "");
    await meanwhile();
    return live.runtime.commit(staged.staged);
  }
  function assertUndone(result: CommitResult, code: string, reason: RegExp): void {
    assert(result.kind === "undone", "it was committed");
    assert.equal(result.code, code);
    assert.match(result.reason, reason);
  }

  const members = (more: string, n = 1): Files => ({ "m.mjs": `export class C{ first(){ return ${n}; } ${more} }` });

  test("a member that is to be removed is still the one that its class came with", async () => {
    const live = boot(members("gone(){ return 1; }"));
    const { C } = (await live.load("m.mjs")) as unknown as { C: { prototype: { first(): number; gone?: () => number } } };
    const wrapper = (): number => 7;
    const result = await commitAfter(live, live.overlay(members("", 2)), () => (C.prototype.gone = wrapper));
    assertUndone(result, "OVERLAY_FAILED", /C\.gone\(\) is to be removed, but what is there is not what its class came with/);
    assert.deepEqual([C.prototype.gone, C.prototype.first()], [wrapper, 1]);
  });

  const parameters = (list: string): Files => ({ "m.mjs": `export class C{ v(${list}){ return 1; } }\nexport function n(){ return ${list.length}; }` });

  test("a function that is to show another number of parameters is still where it was made", async () => {
    const live = boot(parameters("a"));
    const { C, n } = (await live.load("m.mjs")) as unknown as { C: { prototype: { v: (...args: unknown[]) => number } }; n: () => number };
    const result = await commitAfter(live, live.overlay(parameters("a,b")), () => {
      C.prototype.v = () => 7;
    });
    assertUndone(result, "OVERLAY_FAILED", /v\(\) has another number of parameters now/);
    assert.equal(n(), 1);
  });

  test("no closures of the live release have come that the next one leaves out", async () => {
    const files = (n: number, k: number): Files => ({ "late.mjs": `export function make(){ const x=1; return ()=>x+${n}; }`, "m.mjs": `export function f(){ return ${k}; }` });
    const live = boot(files(1, 1));
    const { f } = await live.load("m.mjs");
    // Planned for a process in which nobody has touched late.mjs yet.
    const leavesOut = live.overlay(files(1, 3));
    await live.swap(files(2, 2));
    const result = await commitAfter(live, leavesOut, async () => (await live.load("late.mjs"))["make"]!());
    assertUndone(result, "TRANSITION_MISSING", /leaves out a unit whose closures an earlier release reached/);
    assert.equal(f!(), 2);
  });

  test("nothing that the live release added has come that goes while something else comes", async () => {
    const files = (late: string, m: string, n: number): Files => ({ "late.mjs": `${late}\nexport function up(){ return ${late === "" ? 0 : "++count"}; }`, "m.mjs": `${m}\nexport function f(){ return ${m === "" ? n : "++other"}; }` });
    const live = boot(files("", "", 1));
    const { f } = await live.load("m.mjs");
    await live.swap(files("let count=0;", "", 2));
    const result = await commitAfter(live, live.overlay(files("", "let other=5;", 2)), () => live.load("late.mjs"));
    assertUndone(result, "OVERLAY_FAILED", /count was added by an earlier release and is gone while other comes/);
    assert.equal(f!(), 2);
  });

  test("where nothing came in between, each of them goes live", async () => {
    const removed = boot(members("gone(){ return 1; }"));
    const { C } = (await removed.load("m.mjs")) as unknown as { C: { prototype: { first(): number } } };
    assert.equal((await commitAfter(removed, removed.overlay(members("", 2)), () => undefined)).kind, "committed");
    assert.equal(C.prototype.first(), 2);
    const shown = boot(parameters("a"));
    await shown.load("m.mjs");
    assert.equal((await commitAfter(shown, shown.overlay(parameters("a,b")), () => undefined)).kind, "committed");
  });
});

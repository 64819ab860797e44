import assert from "node:assert/strict";
import { after, describe, test } from "node:test";
import { analyzeUnit } from "@midflight/planner";
import { frameName } from "../../src/runtime/placed.ts";
import { Instance } from "../../src/runtime/instance.ts";
import { hash, LiveUnits, type Exports } from "../support/live-units.ts";

const before = `
export class C {
  #hidden() { return 1; }
  m() { return this.#hidden(); }
}
export function total(a, { b = 1 } = {}) { return a + b; }
export const arrow = (x) => x.y;
export function make() { return (n) => n; }
export const made = make();
export const hidden = () => new C().m();
`;
const edited = `
export class C {
  // one line more
  #hidden() { return 1 + null.missing; }
  m() { return this.#hidden(); }
}
export function total(a, { b = 1 } = {}) { const sum = a + b; return sum.missing.more; }
export const arrow = (x) => x && null.missing;
export function make() { return (n) => n + null.missing; }
export const made = make();
export const hidden = () => new C().m();
`;

/** Line and column of the innermost frame. */
function placeOf(run: () => unknown): string {
  try {
    run();
  } catch (error) {
    const frames = (error as Error).stack!.split("\n");
    return /:(\d+:\d+)\)?$/.exec(frames.find((line) => line.startsWith("    at "))!)![1]!;
  }
  return "nothing was thrown";
}

describe("swapped code in a stack trace", () => {
  const open: LiveUnits[] = [];
  after(() => {
    for (const live of open) live.close();
  });

  test("stands at the line and the column of its artifact, and under a name that tells the text", async () => {
    const live = new LiveUnits({ "m.mjs": before });
    open.push(live);
    const module = await live.load("m.mjs");
    const swapped = await live.swap({ "m.mjs": edited });
    assert.equal(swapped.kind, "committed");
    const cold = new LiveUnits({ "m.mjs": edited });
    open.push(cold);
    const coldModule = await cold.load("m.mjs");
    const runs = (loaded: Exports): string[] => [() => loaded["hidden"]!(), () => loaded["total"]!(1), () => loaded["arrow"]!(1), () => loaded["made"]!(1)].map(placeOf);
    assert.deepEqual(runs(module), runs(coldModule));
    const { artifact } = analyzeUnit("m.mjs", edited, "esm", hash);
    assert.throws(() => module["total"]!(1), (error: Error) => new RegExp(`at Module\\.total \\(file:///\\S+/m\\.mjs\\?mf=${hash(artifact).slice(7, 19)}:7:`).test(error.stack!));
  });

  test("has a name that neither ends the comment that it stands in nor begins another line", () => {
    const name = (url: string): string | null => frameName(new Instance("m.js", "", url, () => undefined), `sha256:${"a".repeat(64)}`);
    assert.equal(name("/srv/app/m.js"), "/srv/app/m.js?mf=aaaaaaaaaaaa");
    assert.equal(name("file:///srv/app/m.js?v=1"), "file:///srv/app/m.js?v=1&mf=aaaaaaaaaaaa");
    assert.equal(name("/srv/my app/m.js"), "file:///srv/my%20app/m.js?mf=aaaaaaaaaaaa");
    for (const strange of ["/srv/a\nthrow 1;//.js", "/srv/a\u2028b.js", "/srv/it's.js"]) assert.doesNotMatch(name(strange) ?? "", /[\s'"]/);
  });
});

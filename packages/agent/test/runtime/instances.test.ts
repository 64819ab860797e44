import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { after, describe, test } from "node:test";
import { text } from "node:stream/consumers";
import { fileURLToPath } from "node:url";
import { setFlagsFromString } from "node:v8";
import { runInNewContext } from "node:vm";
import { LiveUnits, type Files } from "../support/live-units.ts";

const one = (n: number): string => `export class C{ v(){ return ${n}; }${n > 1 ? " w(){ return this.v(); }" : ""} }\nexport function f(){ return ${n}; }\nlet calls=0; export const up=()=>++calls;`;

describe("an instance of a unit", () => {
  const open: LiveUnits[] = [];
  after(() => {
    for (const live of open) live.close();
  });
  const boot = (files: Files): LiveUnits => {
    const live = new LiveUnits(files);
    open.push(live);
    return live;
  };

  test("that is loaded after a swap comes up on the new code, classes and all", async () => {
    const live = boot({ "m.mjs": one(1) });
    const early = await live.load("m.mjs");
    await live.swap({ "m.mjs": one(2) });
    const late = await live.load("m.mjs", "?late");
    for (const module of [early, late]) {
      assert.equal(module["f"]!(), 2);
      const C = module["C"] as unknown as new () => { w(): number };
      assert.equal(new C().w(), 2);
    }
    await live.swap({ "m.mjs": one(1) });
    assert.deepEqual([early["f"]!(), late["f"]!()], [1, 1]);
  });

  test("keeps its own state beside others of the same unit", async () => {
    const live = boot({ "m.mjs": one(1) });
    const [first, second] = [await live.load("m.mjs", "?1"), await live.load("m.mjs", "?2")];
    first["up"]!();
    await live.swap({ "m.mjs": one(2) });
    assert.deepEqual([first["up"]!(), second["up"]!(), first["f"]!(), second["f"]!()], [2, 1, 2, 2]);
  });

  test("that is loaded after an overlay was adopted comes up on it", async () => {
    const live = boot({ "m.mjs": one(1) });
    assert.deepEqual(live.runtime.adopt(live.overlay({ "m.mjs": one(2) })), { kind: "adopted" });
    const module = await live.load("m.mjs");
    const C = module["C"] as unknown as new () => { w(): number };
    assert.deepEqual([module["f"]!(), new C().w()], [2, 2]);
  });

  test("that is loaded after an overlay was adopted says of its functions what the new code does", async () => {
    const text = (params: string): Files => ({ "m.mjs": `export const f=(${params})=>1;\nexport class C{ v(${params}){} static s(${params}){} }\nexport function g(${params}){}` });
    const live = new LiveUnits(text("a"));
    open.push(live);
    const overlay = live.overlay(text("a,b"));
    live.runtime.adopt(overlay);
    const { f, g, C } = (await live.load("m.mjs")) as unknown as { f: () => void; g: () => void; C: { s(): void; prototype: { v(): void } } };
    assert.deepEqual([f.length, g.length, C.s.length, C.prototype.v.length], [2, 2, 2, 2]);
  });

  test("of CommonJS is one, whether it is imported or required", async () => {
    const files = (n: number): Files => ({ "m.mjs": "import { f as g } from './c.cjs';\nexport const f=()=>g();", "c.cjs": `exports.f=function(){ return ${n}; };` });
    const live = boot(files(1));
    const [esm, cjs] = [await live.load("m.mjs"), await live.load("c.cjs")];
    await live.swap(files(2));
    assert.deepEqual([esm["f"]!(), cjs["f"]!()], [2, 2]);
  });

  test("shows others the same function for an added one, however often its body changes", async () => {
    const files = (n: number): Files => ({ "m.mjs": `export const get=()=>added; export const f=()=>0;\nfunction added(){ return ${n}; }` });
    const live = boot({ "m.mjs": "export const get=()=>null; export const f=()=>0;" });
    const module = await live.load("m.mjs");
    await live.swap(files(1));
    const held = module["get"]!() as () => number;
    await live.swap(files(2));
    assert.equal(module["get"]!(), held);
    assert.equal(held(), 2);
  });

  test("whose closures an earlier overlay reached is not left out by a later transition", async () => {
    const files = (n: number): Files => ({ "m.mjs": `export const make=(x)=>()=>[x,${n}];`, "o.mjs": "export const o=1;" });
    const live = boot(files(1));
    const module = await live.load("m.mjs");
    await live.swap(files(2));
    const held = module["make"]!("a") as () => unknown;
    const without = await live.runtime.stage({ ...live.overlay(files(3)), units: [] });
    assert.equal(without.kind === "refused" && without.code, "TRANSITION_MISSING");
    await live.swap(files(1));
    assert.deepEqual(held(), ["a", 1]);
  });

  test("does not let a release change what an earlier one added and others may hold", async () => {
    const files = (n: number): Files => ({ "m.mjs": `let seen=${n}; export const f=()=>++seen;` });
    const live = boot({ "m.mjs": "export const f=()=>0;" });
    const module = await live.load("m.mjs");
    await live.swap(files(1));
    assert.deepEqual([module["f"]!(), module["f"]!()], [2, 3]);
    const staged = await live.stage(files(7));
    assert.match(staged.kind === "refused" ? staged.reason : "", /seen was added by an earlier release and changed since/);
    assert.equal(module["f"]!(), 4);
  });

  test("of a process that may not turn text into code runs as it is, and the swap is refused by name", async () => {
    const host = fileURLToPath(new URL("../support/no-eval-host.ts", import.meta.url));
    const child = spawn(process.execPath, ["--no-warnings", "--conditions=@midflight/source", "--disallow-code-generation-from-strings", host], { stdio: ["ignore", "pipe", "pipe"] });
    const [stdout, stderr] = await Promise.all([text(child.stdout), text(child.stderr)]);
    assert.deepEqual({ stdout: stdout.trim(), stderr }, { stdout: '[1,"EVAL_DISALLOWED",1]', stderr: "" });
  });

  test("does not grow by a thousand swaps", async () => {
    setFlagsFromString("--expose-gc");
    const collect = runInNewContext("gc") as () => void;
    const files = (n: number): Files => ({ "m.mjs": `export const T=[${n}]; export function f(){ return [T[0],g()]; }\nfunction g(){ return ${n}; }\nexport const make=()=>()=>${n};` });
    const live = boot(files(0));
    const module = await live.load("m.mjs");
    const overlays = [1, 2].map((n) => live.overlay(files(n)));
    const swaps = async (times: number): Promise<WeakRef<object>> => {
      let last: WeakRef<object> | null = null;
      for (let i = 0; i < times; i++) {
        const staged = await live.runtime.stage(overlays[i % 2]!);
        assert.equal(staged.kind, "staged");
        if (staged.kind !== "staged") break;
        if (i === times - 3) last = new WeakRef(staged.staged);
        assert.equal(live.runtime.commit(staged.staged).kind, "committed");
        (module["make"]!() as () => unknown)();
      }
      return last!;
    };
    const heapBytes = (): number => {
      collect();
      return process.memoryUsage().heapUsed;
    };
    // What the engine compiles and learns of the code that swaps comes first.
    await swaps(1000);
    const before = heapBytes();
    const former = await swaps(800);
    const grownBytes = heapBytes() - before;
    assert.ok(grownBytes < 800 * 500, `grew by ${grownBytes} bytes in 800 swaps`);
    assert.equal(former.deref(), undefined, "an overlay that was replaced is still held");
    assert.deepEqual(module["f"]!(), [2, 2]);
  });
});

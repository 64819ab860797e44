import assert from "node:assert/strict";
import { mkdtempSync, realpathSync, rmSync } from "node:fs";
import os from "node:os";
import path from "node:path";
import { after, before, describe, test } from "node:test";

type Listeners = (() => unknown)[];
interface Live {
  readonly rung: string;
  readonly got?: string;
}
interface World {
  live(boot: string, steps: readonly string[], probing: object): Promise<Live>;
}

/** A function that hands a closure to somebody who keeps it. */
const unit = (rest: string, inner: string): string => `export function open(list, n) {\n  ${rest}\n  list.push(() => ${inner});\n}\n`;
const nestedUnit = (rest: string, inner: string): string => `export function open(list, n) {\n  const make = () => {\n    ${rest}\n    list.push(() => ${inner});\n  };\n  make();\n}\n`;

describe("closures that a release made under another text around them", () => {
  let directory: string;
  let world: World;
  before(async () => {
    directory = mkdtempSync(path.join(realpathSync(os.tmpdir()), "midflight-sealed-"));
    // Plain JavaScript without types, because every Node runs it.
    const { createWorld } = (await import(new URL("world.mjs", import.meta.url).href)) as { createWorld: (at: string) => World };
    world = createWorld(directory);
  });
  after(() => rmSync(directory, { recursive: true, force: true }));

  /** One closure from before the first step, one after each. */
  const opened = {
    setup: (module: { open(list: Listeners, n: number): void }): Listeners => {
      const list: Listeners = [];
      module.open(list, 1);
      return list;
    },
    between: (module: { open(list: Listeners, n: number): void }, list: Listeners): void => module.open(list, 1),
    probe: (_module: unknown, list: Listeners): unknown => list.map((listener) => listener()),
  };

  for (const [name, make] of [["a function", unit], ["a closure in it", nestedUnit]] as const) {
    test(`${name} changes around a closure that does not: those from before go on, and there is a way back and forth`, async () => {
      const [a, b] = [make("", "n + 1"), make("if (n > 5) return;", "n + 1")];
      for (const steps of [[b], [b, a], [b, a, b], [b, make("if (n > 7) return;", "n + 1")], [make("if (n > 0)", "n + 1")]]) {
        const live = await world.live(a, steps, opened);
        assert.equal(live.got, JSON.stringify(steps.map(() => 2).concat(2)), `${steps.length} steps, ${live.rung}`);
      }
    });

    test(`${name} goes back, and the closure changes: what was made in between cannot follow, so the process is not said to have swapped`, async () => {
      const [a, b, c] = [make("", "n + 1"), make("if (n > 5) return;", "n + 1"), make("", "n + 2")];
      assert.equal((await world.live(a, [c], opened)).got, "[3,3]", "without it in between, they follow");
      const { got } = await world.live(a, [b, c], opened);
      assert.match(got ?? "", /^refused: open\(\) made closures under an earlier release that cannot follow it/);
    });

    test(`${name} stays as it is around a closure that changes again and again: those from before follow`, async () => {
      const edits = ["n + 2", "n + 3", "n + 4", "n + 5"].map((inner) => make("", inner));
      assert.equal((await world.live(make("", "n + 1"), edits, opened)).got, "[6,6,6,6,6]");
    });

    test(`${name} gets a closure that the boot text lacks: it stays with its text, and who would change that is refused`, async () => {
      const without = (text: string): string => text.replace(/ *list\.push.*\n/, "");
      const [a, b, c] = [without(make("", "")), make("", "7"), make("", "8")];
      assert.equal((await world.live(a, [b], opened)).got, "[7]");
      assert.match((await world.live(a, [b, c], opened)).got ?? "", /^refused: open\(\) made closures under an earlier release/);
      const second = make("list.splice(list.length, 0, () => 7);", "n + 1");
      assert.equal((await world.live(make("", "n + 1"), [second], opened)).rung, "replace", "what was set up before has only one");
    });

    test(`${name} hands a closure that captures nothing to the same call elsewhere: those from before say the same`, async () => {
      const [a, b] = [make("if (n > 0) { list.splice(list.length, 0, () => 7); }", "n + 1"), make("const add = () => { list.splice(list.length, 0, () => 7); }; add();", "n + 1")];
      assert.equal((await world.live(a, [b, a, b], opened)).got, "[7,2,7,2,7,2,7,2]");
      const other = make("const add = () => { list.splice(list.length, 0, () => 8); }; add();", "n + 1");
      assert.equal((await world.live(a, [other], opened)).rung, "replace");
    });

    for (const [how, first, second, inner] of [
      ["its value", "const m = n;", "const m = n * 2;", "m + 1"],
      ["what an object of it holds", "const o = { m: n };", "const o = { m: n }; o.m += 1;", "o.m"],
      ["that by another name", "const o = { m: n }; const p = o;", "const o = { m: n }; const p = o; p.m += 1;", "o.m"],
      ["what decides it", "const k = n; const m = k;", "const k = n + 1; const m = k;", "m"],
      ["a parameter's value", "if (n > 1) n = 2;", "if (n > 0) n = 2;", "n"],
      ["whether it gets another value later", "let m = 1; if (n > 5) return; m = 2;", "let m = 1; if (n > 4) return; m = 2;", "m"],
      ["what another text shadows", "const m = n;", "const m = n + 1;", "{ { let m = 0; m++; } return m; }"],
    ] as const) {
      test(`${name} decides otherwise what a closure has captured, ${how}: it needs a new process`, async () => {
        assert.equal((await world.live(make(first, inner), [make(second, inner)], opened)).rung, "replace");
      });
    }
  }

  test("a parameter's default that decides one which is captured", async () => {
    const make = (k: number): string => `export function open(list, n, a = ${k}, b = a) {\n  ${k > 1 ? "void 0;" : ""}\n  list.push(() => b);\n}\n`;
    assert.equal((await world.live(make(1), [make(2)], opened)).rung, "replace");
  });

  test("arguments of the function around it", async () => {
    const make = (rest: string): string => `export function open(list, n) {\n  ${rest}\n  list.push(() => arguments[1]);\n}\n`;
    assert.equal((await world.live(make(""), [make("arguments[1] = 5;")], opened)).rung, "replace");
  });
});

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
      for (const steps of [[b], [b, a], [b, a, b], [b, make("if (n > 7) return;", "n + 1")]]) {
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

    test(`${name} decides otherwise what a closure has captured: it needs a new process`, async () => {
      const [a, b] = [make("const m = n;", "m + 1"), make("const m = n * 2;", "m + 1")];
      assert.equal((await world.live(a, [b], opened)).rung, "replace");
      const [before, now] = [make("const o = { m: n };", "o.m"), make("const o = { m: n }; o.m += 1;", "o.m")];
      assert.equal((await world.live(before, [now], opened)).rung, "replace");
      const [first, second] = [make("const k = n; const m = k;", "m"), make("const k = n + 1; const m = k;", "m")];
      assert.equal((await world.live(first, [second], opened)).rung, "replace");
      const [with1, with2] = [make("if (n > 1) n = 2;", "n"), make("if (n > 0) n = 2;", "n")];
      assert.equal((await world.live(with1, [with2], opened)).rung, "replace");
    });
  }
});

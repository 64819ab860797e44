import assert from "node:assert/strict";
import { mkdtempSync, realpathSync, rmSync } from "node:fs";
import os from "node:os";
import path from "node:path";
import { after, before, describe, test } from "node:test";
import * as fc from "fast-check";
import { printProgram } from "./print-program.ts";
import { history, type Program } from "./program.ts";

type Files = Record<string, string>;
interface Lived {
  readonly rung: string;
  readonly got?: string;
}
interface Module {
  run(): unknown;
  hold(): Held;
  holdLater(): Held;
}
type Held = Record<string, () => unknown>;
interface Case {
  setup(module: Module): Held[];
  between(module: Module, held: Held[]): void;
  probe(module: Module, held: Held[]): unknown;
}
interface World {
  live(boot: Files, steps: readonly Files[], one: Case): Promise<Lived>;
  cold(files: Files, one: Case): Promise<string>;
}

/** How long to search, in seconds, from a seed of chance: for nightly runs. Without it the same programs are tried each time. */
const seconds = process.env["MIDFLIGHT_FUZZ_SECONDS"] === undefined ? null : Number(process.env["MIDFLIGHT_FUZZ_SECONDS"]);
const search: fc.Parameters<unknown> =
  seconds === null ? { seed: 20_26, numRuns: 60, endOnFailure: true } : { numRuns: 1_000_000, interruptAfterTimeLimit: seconds * 1000, markInterruptAsFailure: false };

/** Handles are taken before the first swap and after each; all are used at the end. */
const handled: Case = {
  setup: (module) => [module.hold()],
  between: (module, held) => void held.push(module.holdLater()),
  probe: (module, held) => {
    const there = Object.keys(module.holdLater()).sort();
    return [module.run(), held.map((handles) => there.filter((name) => handles[name] !== undefined).map((name) => [name, handles[name]!()]))];
  },
};

/** Items that are of one kind, and in one place, in all programs: a handle on one of them can be used after any swap. */
function sharedBy(...programs: readonly Program[]): Set<number> {
  const [first, ...others] = programs;
  return new Set((first ?? []).filter(({ id, kind, unit }) => others.every((program) => program.some((other) => other.id === id && other.kind === kind && other.unit === unit))).map(({ id }) => id));
}

describe("programs nobody thought of", () => {
  let directory: string;
  let world: World;
  const rungs = new Map<string, number>();
  before(async () => {
    directory = mkdtempSync(path.join(realpathSync(os.tmpdir()), "midflight-fuzz-"));
    const { createWorld } = (await import(new URL("../world.mjs", import.meta.url).href)) as { createWorld: (directory: string) => World };
    world = createWorld(directory);
  });
  after(() => rmSync(directory, { recursive: true, force: true }));

  test("after any edits, and any way there, a swapped process does what a cold start does, or the swap was refused", async () => {
    const check = async ([a, b, c]: readonly [Program, Program, Program]): Promise<void> => {
      const shared = sharedBy(a, b, c);
      const later = sharedBy(b, c);
      const [A, B, C] = [a, b, c].map((one) => printProgram(one, shared, later)) as [Files, Files, Files];
      for (const steps of [[B], [B, A], [B, C], [B, C, B]]) {
        const lived = await world.live(A, steps, handled);
        const outcome = lived.got?.startsWith("refused: ") === true ? "refused" : lived.rung;
        rungs.set(outcome, (rungs.get(outcome) ?? 0) + 1);
        if (outcome === "replace" || outcome === "refused") continue;
        const cold = await world.cold(steps.at(-1)!, { ...handled, between: (module, held) => steps.forEach(() => handled.between(module, held)) });
        assert.equal(lived.got, cold, `from\n${shown(A)}\nby way of ${steps.length} to\n${shown(B)}\nto\n${shown(steps.at(-1)!)}`);
      }
    };
    await fc.assert(fc.asyncProperty(history, check), search as fc.Parameters<[readonly [Program, Program, Program]]>);
    if (seconds !== null) console.log([...rungs]);
    const live = (rungs.get("patch") ?? 0) + (rungs.get("redefine") ?? 0);
    assert.ok(live > 5, `too few programs were swapped to prove anything: ${JSON.stringify([...rungs])}`);
  });
});

function shown(files: Files): string {
  return Object.entries(files).map(([file, text]) => `// ${file}\n${text}`).join("\n");
}

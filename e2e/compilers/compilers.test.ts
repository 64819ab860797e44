import assert from "node:assert/strict";
import { cpSync, mkdtempSync, readFileSync, realpathSync, rmSync } from "node:fs";
import os from "node:os";
import path from "node:path";
import { describe, test } from "node:test";
import { type AppProcess, guardAgainstLeaks, startSystem, type System } from "@midflight/testkit";
import { nodeBinary, nodeMajors } from "../../scripts/node-versions.mjs";
import { type Compiler, compilers, writeProject } from "./compilers.ts";
import { edit, lineOf, serviceSources, type Sources } from "./service.ts";

/** Every compiler sees each edition; those with so many updates, a bundle, ES modules and CommonJS among them, see them over and over. */
const updatesOf = ({ name }: Compiler): number => (/^(tsc, legacy decorators|esbuild, one file|swc, legacy decorators, CommonJS for ES2017)$/.test(name) ? 20 : 4);

/** The service in its editions, each compiled once. */
interface Editions {
  readonly first: Sources;
  /** Each with what the planner has to find out about the step from `first`. */
  readonly later: readonly { readonly sources: Sources; readonly rung: "patch" | "redefine"; readonly price: string }[];
}

function editionsOf({ decorators }: Compiler): Editions {
  const first = serviceSources(decorators);
  const thrown = edit(first, "shop/catalogue.ts", "    if (item === undefined) {\n", "    // Asked for\n    // what is not there.\n    const isThere = item !== undefined;\n    if (!isThere) {\n");
  const found = edit(edit(first, "shop/catalogue.ts", "this.#asked++;", "this.#asked++;\n    if (quantity > 1_000_000_000) {\n      quantity = 1;\n    }\n"), "shop/catalogue.ts", 'has no " + name', 'does not have " + name');
  const priced = edit(first, "shop/money.ts", "  amount < 0\n", "\n  // Not\n  // given away.\n  amount < 0 ||\n  Number.isNaN(amount)\n");
  const signed = edit(edit(edit(priced, "shop/money.ts", "    ? sign\n", "    ? signed(0, sign)\n"), "shop/money.ts", "sign + (amount / Units.cents).toFixed(2)", "signed(amount, sign)"), "shop/money.ts", "export const format", "function signed(amount: number, sign: string): string {\n  return (amount / Units.cents).toFixed(2) + sign;\n}\n\nexport const format");
  return {
    first,
    later: [
      { sources: thrown, rung: "patch", price: "€5.00" },
      { sources: signed, rung: "redefine", price: "5.00€" },
      { sources: found, rung: "patch", price: "€5.00" },
      { sources: priced, rung: "patch", price: "€5.00" },
    ],
  };
}

const ask = async (app: AppProcess, place: string): Promise<string> => (await fetch(new URL(place, app.url), { headers: { connection: "close" } })).text();

/** `shop/money.ts:13` of each frame in the service's sources. */
function sourcePlaces(stack: string): readonly string[] {
  return [...stack.matchAll(/\/src\/([\w/]+\.ts):(\d+):\d+\)?$/gm)].map(([, file, line]) => `${file}:${line}`);
}

/** What stands in the built file where the first frame says. Its name tells whether it is in the text that the process started with. */
function builtLine(stack: string, first: string, dist: string): string {
  const [, file = "", newer, line] = /\/dist\/([\w/]+\.js)(\?mf=\w+)?:(\d+):\d+\)?$/m.exec(stack) ?? [];
  return readFileSync(path.join(newer === undefined ? first : dist, file), "utf8").split("\n")[Number(line) - 1] ?? "";
}

/** With maps, traces tell the lines of the sources; without, those of the files that were built of them. */
async function checkTraces(app: AppProcess, sources: Sources, first: string, dist: string, hasMaps: boolean): Promise<void> {
  const missing = await ask(app, "/?name=salt");
  const tooMuch = await ask(app, "/price?quantity=1000000");
  assert.match(missing, /^Error: corner (has no|does not have) salt\n/);
  assert.match(tooMuch, /^RangeError: too much\n/);
  if (!hasMaps) {
    assert.match(builtLine(missing, first, dist), /throw new Error\(/, missing);
    assert.match(builtLine(tooMuch, first, dist), /throw new RangeError\(/, tooMuch);
    return;
  }
  assert.equal(sourcePlaces(missing)[0], `shop/catalogue.ts:${lineOf(sources, "shop/catalogue.ts", "throw new Error(")}`, missing);
  const [top, caller] = sourcePlaces(tooMuch);
  assert.equal(top, `shop/money.ts:${lineOf(sources, "shop/money.ts", "throw new RangeError(")}`, tooMuch);
  assert.equal(caller, `shop/money.ts:${lineOf(sources, "shop/money.ts", 'no()\n')}`, tooMuch);
}

async function withService(compiler: Compiler, work: (service: { readonly system: System; readonly distOf: (sources: Sources) => string; readonly release: (sources: Sources) => void; readonly editions: Editions }) => Promise<void>): Promise<void> {
  const editions = editionsOf(compiler);
  const all = [editions.first, ...editions.later.map(({ sources }) => sources)];
  const directory = mkdtempSync(path.join(realpathSync(os.tmpdir()), "midflight-compilers-"));
  const projectOf = (sources: Sources): string => path.join(directory, String(all.indexOf(sources)));
  const system = await startSystem({ app: "service", code: ["dist"], run: `node dist/${compiler.entry}`, ready: /"port":(\d+)/ });
  try {
    for (const sources of all) {
      writeProject(projectOf(sources), sources, compiler.format);
      await compiler.compile(projectOf(sources));
    }
    await work({
      system, editions, distOf: (sources) => path.join(projectOf(sources), "dist"),
      release(sources) {
        for (const name of ["package.json", "dist"]) cpSync(path.join(projectOf(sources), name), path.join(system.projectDir, name), { recursive: true });
      },
    });
  } finally {
    await system.close();
    rmSync(directory, { recursive: true, force: true });
  }
}

describe("a service that a compiler made goes live, and its traces tell the line", () => {
  guardAgainstLeaks();

  for (const compiler of compilers) {
    test(compiler.name, async () => {
      await withService(compiler, async ({ system, editions, distOf, release }) => {
        const { first, later } = editions;
        release(first);
        await system.publish();
        const apps = await Promise.all([
          ...nodeMajors.map((major) => system.start({ node: nodeBinary(major), target: `maps-${major}`, args: ["--enable-source-maps", `dist/${compiler.entry}`] }).then((app) => ({ app, target: `maps-${major}`, hasMaps: true }))),
          system.start({ node: nodeBinary(Math.min(...nodeMajors)), target: "plain" }).then((app) => ({ app, target: "plain", hasMaps: false })),
        ]);
        try {
          for (const { target } of apps) await system.beat(`${target} follows`, (beat) => beat.target === target && beat.state === "following");
          const check = async (sources: Sources): Promise<void> => {
            await Promise.all(apps.map(({ app, hasMaps }) => checkTraces(app, sources, distOf(first), distOf(sources), hasMaps)));
          };
          await check(first);
          const live: Sources[] = [first];
          const update = async ({ sources, rung, price }: Editions["later"][number]): Promise<void> => {
            release(sources);
            const published = await system.publish();
            assert.equal(published.rung, rung, JSON.stringify(published.verdicts));
            await Promise.all(apps.map(({ target }) => system.swapped(published, target)));
            live.push(sources);
            for (const { app } of apps) assert.equal((JSON.parse(await ask(app, "/price")) as { price: string }).price, price);
          };
          for (const edition of later.slice(0, 2)) {
            await update(edition);
            await check(edition.sources);
          }
          for (let n = 2; n < updatesOf(compiler); n++) await update(later[n % later.length]!);
          await check(live.at(-1)!);
          const back = await system.rollback();
          await Promise.all(apps.map(({ target }) => system.swapped(back, target)));
          await check(live.at(-2)!);
        } finally {
          for (const { app } of apps) await app.kill();
        }
      });
    });
  }
});

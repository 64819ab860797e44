import { execFile } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { promisify } from "node:util";
import { repositoryRoot } from "@midflight/testkit";
import { bar, type Bench, type Findings } from "../bench.ts";
import { codeFolder, writeModulesApp } from "../save-to-live/modules-app.ts";
import { round, spreadOf, type Spread } from "../statistics.ts";

const modules = 500;
const limitMs = 2_000;
const run = promisify(execFile);

export const plan: Bench = {
  name: "plan",
  summary: "midflight plan --from DIR --to DIR: the whole command, on 500 modules of 6 KB",
  async run({ isQuick, say }): Promise<Findings> {
    const rounds = isQuick ? 3 : 15;
    const directory = mkdtempSync(path.join(tmpdir(), "midflight-plan-"));
    try {
      const from = path.join(directory, "from");
      writeModulesApp(from, modules);
      const times: { readonly changed: number; readonly ms: Spread }[] = [];
      for (const changed of [0, 1, modules]) {
        const to = path.join(directory, `to-${changed}`);
        writeModulesApp(to, modules).build(changed, "r1");
        times.push({ changed, ms: await measure(from, to, changed, rounds) });
        say(`${changed} of ${modules} changed: ${times.at(-1)?.ms.p50} ms`);
      }
      const version = await spreadOfRuns(["--version"], rounds);
      const worst = Math.max(...times.map(({ ms }) => ms.p50));
      return {
        figures: { modules, plans: times, "the command's start alone": version },
        rivals: {},
        ratios: { "one changed / none": round((times[1]?.ms.p50 ?? Number.NaN) / (times[0]?.ms.p50 ?? Number.NaN), 2) },
        bars: [bar(`plan of ${modules} modules, ms p50, whatever changed`, worst, "<=", limitMs)],
        voidBecause: null,
      };
    } finally {
      rmSync(directory, { recursive: true, force: true });
    }
  },
};

async function measure(from: string, to: string, changed: number, rounds: number): Promise<Spread> {
  const args = ["plan", "--from", path.join(from, codeFolder), "--to", path.join(to, codeFolder), "--json"];
  const answer = JSON.parse(await midflight(args)) as { verdicts: readonly unknown[]; rung: string | null };
  if (answer.verdicts.length !== changed || answer.rung !== (changed === 0 ? null : "patch")) throw new Error(`the plan names ${answer.verdicts.length} units and needs ${answer.rung}`);
  return spreadOfRuns(args, rounds);
}

async function spreadOfRuns(args: readonly string[], rounds: number): Promise<Spread> {
  const times: number[] = [];
  for (let i = 0; i < rounds; i += 1) {
    const startedMs = performance.now();
    await midflight(args);
    times.push(performance.now() - startedMs);
  }
  return spreadOf(times);
}

/** The command as it is installed: built, in a process of its own. */
async function midflight(args: readonly string[]): Promise<string> {
  const { stdout } = await run(process.execPath, [path.join(repositoryRoot, "packages/midflight/dist/main.js"), ...args], { maxBuffer: 64 << 20 });
  return stdout;
}

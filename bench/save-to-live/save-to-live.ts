import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { pathToFileURL } from "node:url";
import { setTimeout as delay } from "node:timers/promises";
import type { Config } from "@midflight/control";
import { bar, type Bench, type BenchOptions, type Findings } from "../bench.ts";
import { median, percentile, round, spreadOf, type Spread } from "../statistics.ts";
import { freePort } from "../system/project.ts";
import { startLiveSystem } from "../system/start-live-system.ts";
import { allModules, cases, type Case } from "./cases.ts";
import { codeFolder, marker, writeModulesApp } from "./modules-app.ts";
import { Prober } from "./prober.ts";
import { measureRivals } from "./rivals.ts";
import { Steps } from "./steps.ts";

const quietMs = 75;
/** What else a publish leaves to be done is done by then: reports, probation's begin, beats. */
const restMs = 150;

interface Measured {
  readonly ms: Spread;
  readonly firstMs: number;
  readonly steps: Readonly<Record<string, number>>;
  readonly probeEveryMs: number;
  readonly failed: number;
  readonly rung: string;
}

interface Way {
  /** The build says when it has finished; otherwise a quiet window does. */
  readonly isMarked: boolean;
  /** Publisher, registry and control are one process. */
  readonly isTogether: boolean;
}

export const saveToLive: Bench = {
  name: "save-to-live",
  summary: "last write → first request answered by new code, 1 and 500 modules, beside tools that restart",
  async run(options): Promise<Findings> {
    const folder = mkdtempSync(path.join(tmpdir(), "midflight-bench-"));
    try {
      return await measure(folder, options);
    } finally {
      rmSync(folder, { recursive: true, force: true });
    }
  },
};

async function measure(folder: string, options: BenchOptions): Promise<Findings> {
  const { isQuick, say } = options;
  const rounds = { one: isQuick ? 5 : 40, all: isQuick ? 2 : 9 };
  const marked = await measureOurs(path.join(folder, "marked"), { isMarked: true, isTogether: false }, rounds, say);
  const quiet = await measureOurs(path.join(folder, "quiet"), { isMarked: false, isTogether: false }, { one: isQuick ? 2 : 15, all: 0 }, say);
  const together = await measureOurs(path.join(folder, "together"), { isMarked: true, isTogether: true }, { one: isQuick ? 2 : 15, all: isQuick ? 1 : 5 }, say);
  const app = writeModulesApp(path.join(folder, "rivals"), allModules);
  const rivals = await measureRivals(app, isQuick ? { one: 1, all: 1 } : { one: 7, all: 5 }, say);
  const p50 = { one: marked.one?.ms.p50 ?? Number.NaN, all: marked.all?.ms.p50 ?? Number.NaN };
  const quietP50 = quiet.one?.ms.p50 ?? Number.NaN;
  const ratios = rivals.flatMap((rival) => cases.map(({ name }) => [`${rival.name} / midflight, ${name}`, round(rival[name].ms.p50 / p50[name], 1)] as const));
  const probeEveryMs = Math.max(...[marked.one, marked.all].map((one) => one?.probeEveryMs ?? Number.NaN));
  return {
    figures: { modules: allModules, quietMs, marked, quiet: quiet.one, "midflight up --watch, marked": together },
    rivals: Object.fromEntries(rivals.map(({ name, ...found }) => [name, found])),
    // One that never served the new code has no ratio.
    ratios: Object.fromEntries(ratios.filter(([, ratio]) => Number.isFinite(ratio))),
    bars: [
      bar("1 module, build marks its end: p50 ms", p50.one, "<=", 15),
      bar("500 modules, build marks its end: p50 ms", p50.all, "<=", 400),
      bar(`1 module, quiet window of ${quietMs} ms: p50 ms`, quietP50, "<=", quietMs + 15),
      bar("requests that failed while swapping", (marked.one?.failed ?? 1) + (marked.all?.failed ?? 1) + (quiet.one?.failed ?? 1), "==", 0),
    ],
    voidBecause: probeEveryMs > 1 ? `the prober looked only every ${round(probeEveryMs)} ms` : null,
  };
}

/** Both cases on one system, so that the second one meets what the first one left. */
async function measureOurs(projectDir: string, { isMarked, isTogether }: Way, rounds: Readonly<Record<Case["name"], number>>, say: (line: string) => void): Promise<Partial<Record<Case["name"], Measured>>> {
  const app = writeModulesApp(projectDir, allModules);
  const port = await freePort();
  const system = await startLiveSystem(projectDir, configOf(port, isMarked), isTogether);
  const prober = new Prober(port);
  const found: Partial<Record<Case["name"], Measured>> = {};
  let revision = 0;
  try {
    for (const one of cases.filter(({ name }) => rounds[name] > 0)) {
      const times: number[] = [];
      const every: number[] = [];
      const steps = new Steps();
      let failed = 0;
      let rung = "";
      // The first round warms up what a user's first save warms up; it is told apart.
      for (let i = 0; i <= rounds[one.name]; i += 1) {
        const name = `r${++revision}`;
        const wroteMs = app.build(one.count, name);
        if (isMarked) app.finish();
        const result = await prober.waitFor(one.question, name);
        const published = await system.nextPublish();
        await delay(restMs);
        const ms = result.atMs - wroteMs;
        times.push(ms);
        every.push(result.everyMs);
        failed += result.failed;
        ({ rung } = published);
        if (i > 0) steps.add(performance.timeOrigin + wroteMs, published, system, ms);
      }
      const [firstMs = Number.NaN, ...ms] = times;
      found[one.name] = { ms: spreadOf(ms), firstMs: round(firstMs), steps: steps.medians(), probeEveryMs: round(median(every)), failed, rung };
      say(`${isMarked ? "marker" : "quiet window"}${isTogether ? ", up --watch" : ""}, ${one.count} of ${allModules} modules: p50 ${round(median(ms), 1)} ms, p95 ${round(percentile(ms, 95), 1)} ms, first ${round(firstMs, 1)} ms`);
      say(`  ${JSON.stringify(found[one.name]?.steps)}`);
    }
    return found;
  } finally {
    await prober.close();
    await system.close();
  }
}

function configOf(port: number, isMarked: boolean): Config {
  const clock = pathToFileURL(path.join(import.meta.dirname, "../system/agent-clock.mjs")).href;
  return {
    app: "modules-app",
    services: {
      web: { run: `${process.execPath} --import ${clock} ${codeFolder}/server.js`, code: codeFolder, health: "/one", env: { PORT: String(port) } },
    },
    publish: isMarked ? { marker } : { quietMs },
  };
}

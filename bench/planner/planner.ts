import { parse } from "acorn";
import { analyzeUnit, planTransition, type AppShape, type UnitAnalysis } from "@midflight/planner";
import { sha256 } from "@midflight/trust";
import { bar, type Bench, type Findings } from "../bench.ts";
import { round, spreadOf, type Spread } from "../statistics.ts";
import { moduleText } from "../save-to-live/modules-app.ts";

export const planner: Bench = {
  name: "planner",
  summary: "analysis of a unit, new and saved again, beside acorn's parse alone, and the plan of 1 changed unit in 5,000",
  async run({ isQuick, say }): Promise<Findings> {
    const rounds = isQuick ? 3 : 15;
    const analysis = measureAnalysis(rounds);
    say(`analysis ${analysis.msPerMb.p50} ms/MB, saved again ${analysis.savedMsPerMb.p50}, and moved ${analysis.movedMsPerMb.p50}; acorn alone ${analysis.acornMsPerMb.p50} ms/MB`);
    const one = measurePlans(isQuick ? 500 : 5000, 1, rounds);
    const all = measurePlans(500, 500, rounds);
    say(`plan of 1 unit in ${one.units}: ${one.ms.p50} ms; of 500 in 500: ${all.ms.p50} ms`);
    const ratio = round(analysis.msPerMb.p50 / analysis.acornMsPerMb.p50, 2);
    const saved = round(analysis.savedMsPerMb.p50 / analysis.acornMsPerMb.p50, 2);
    return {
      figures: { analysis, plans: [one, all] },
      rivals: { "acorn, parse alone": analysis.acornMsPerMb },
      ratios: { "analysis / acorn": ratio, "analysis of a text that was saved again / acorn": saved },
      bars: [bar("analysis over acorn's parse alone", ratio, "<=", 2), bar("analysis of a text that was saved again, over acorn's parse of all of it", saved, "<=", 1), bar(`plan of 1 changed unit in ${one.units}, ms p50`, one.ms.p50, "<=", 2), bar("plan of 500 changed units in 500, ms p50", all.ms.p50, "<=", 60)],
      voidBecause: null,
    };
  },
};

interface Analysis {
  readonly msPerMb: Spread;
  /** With the analysis of the text before, from which a few bodies differ; all else stands where it stood. */
  readonly savedMsPerMb: Spread;
  /** Likewise, but what stands behind the first change has moved. */
  readonly movedMsPerMb: Spread;
  readonly acornMsPerMb: Spread;
}

/** Milliseconds of CPU, the collector's included, per MB of source. */
function measureAnalysis(rounds: number): Analysis {
  const times = { analysis: [] as number[], saved: [] as number[], moved: [] as number[], acorn: [] as number[] };
  // The first two warm up.
  for (let i = 0; i < rounds + 2; i += 1) {
    const [texts, saved, moved] = ["a", "b", "moved"].map((kind) => Array.from({ length: 200 }, (_, n) => moduleText(n, `r${i}${kind}`))) as [string[], string[], string[]];
    const mb = texts.reduce((sum, text) => sum + text.length, 0) / 1e6;
    const parsed: unknown[] = [];
    const acornMs = cpuMsOf(() => {
      for (const text of texts) parsed.push(parse(text, { ecmaVersion: "latest", sourceType: "module" }));
    });
    parsed.length = 0;
    const formers: UnitAnalysis[] = [];
    const analysisMs = cpuMsOf(() => {
      for (const [n, text] of texts.entries()) formers.push(analyzeUnit(`m${n}.js`, text, "esm", sha256));
    });
    const [savedMs, movedMs] = [saved, moved].map((later) => {
      const kept: unknown[] = [];
      return cpuMsOf(() => {
        for (const [n, text] of later.entries()) kept.push(analyzeUnit(`m${n}.js`, text, "esm", sha256, formers[n]));
      });
    }) as [number, number];
    if (i < 2) continue;
    times.analysis.push(analysisMs / mb);
    times.saved.push(savedMs / mb);
    times.moved.push(movedMs / mb);
    times.acorn.push(acornMs / mb);
  }
  return { msPerMb: spreadOf(times.analysis), savedMsPerMb: spreadOf(times.saved), movedMsPerMb: spreadOf(times.moved), acornMsPerMb: spreadOf(times.acorn) };
}

function measurePlans(units: number, changed: number, rounds: number): { readonly units: number; readonly changed: number; readonly ms: Spread } {
  const boot = new Map<string, UnitAnalysis>(Array.from({ length: units }, (_, n) => [`m${n}.js`, analyze(n, "r0")]));
  const bootShape: AppShape = { units: boot, assets: new Map(), lock: null };
  const times: number[] = [];
  let target = boot;
  for (let i = 0; i < rounds + 2; i += 1) {
    target = new Map(target);
    for (let n = 0; n < changed; n += 1) target.set(`m${n}.js`, analyze(n, `r${i + 1}`, target.get(`m${n}.js`)));
    const input = { boot: bootShape, target: { units: target, assets: new Map(), lock: null }, hash: sha256 };
    const startedMs = performance.now();
    const plan = planTransition(input);
    const tookMs = performance.now() - startedMs;
    if (plan.rung !== "patch" || plan.units.length !== changed) throw new Error(`the plan names ${plan.units.length} units and needs ${plan.rung}`);
    if (i >= 2) times.push(tookMs);
  }
  return { units, changed, ms: spreadOf(times) };
}

function analyze(n: number, revision: string, former?: UnitAnalysis): UnitAnalysis {
  return analyzeUnit(`m${n}.js`, moduleText(n, revision), "esm", sha256, former);
}

function cpuMsOf(work: () => void): number {
  const before = process.cpuUsage();
  work();
  const { user, system } = process.cpuUsage(before);
  return (user + system) / 1000;
}


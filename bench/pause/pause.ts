import { pathToFileURL } from "node:url";
import path from "node:path";
import { createRandom, startSystem, type AppProcess, type System } from "@midflight/testkit";
import { bar, type Bar, type Bench, type BenchOptions, type Findings } from "../bench.ts";
import { median, percentile, round, shuffle, spreadOf, type Spread } from "../statistics.ts";
import { measureLiveEdit, type LiveEditFindings } from "./measure-live-edit.ts";
import { appFiles, appModules, moduleFile, moduleText, remarkText } from "./paused-app.ts";

const heapsMb = [10, 100, 500] as const;
const counts = [1, 50] as const;
/** The same in a release of so many modules, all loaded: what a swap does not concern must not cost it time. */
const largeRelease = { units: 5000, heapMb: 100, modules: 50, rounds: 15 } as const;

interface Window {
  readonly counter: number;
  readonly kind: string;
  readonly longestMs: number;
  readonly longestIn: string;
  readonly pauseMs: number;
  readonly delayMs: number;
  readonly tookMs: number;
}

interface Excess {
  readonly modules: number;
  /** How many the release has. */
  readonly units: number;
  readonly heapMb: number;
  /** Longest turn of the event loop in a swap, in a swap back, and in one that changes nothing, in ms. */
  readonly swap: Spread;
  readonly back: Spread;
  readonly sham: Spread;
  /** In which of the agent's states the longest turn of a swap began and ended, and how often. */
  readonly longestIn: Readonly<Record<string, number>>;
  readonly excessP50Ms: number;
  readonly excessP95Ms: number;
  /** The same by the agent's own account, and by `monitorEventLoopDelay`. */
  readonly agent: { readonly swap: Spread; readonly sham: Spread };
  readonly delay: { readonly swap: Spread; readonly sham: Spread };
}

export const pause: Bench = {
  name: "pause",
  summary: "longest event-loop block of a swap of 1 and 50 modules at heaps of 10, 100 and 500 MB, and of 50 in 5,000, beside LiveEdit",
  async run(options): Promise<Findings> {
    const figures: Excess[] = [];
    const rivals: LiveEditFindings[] = [];
    for (const heapMb of heapsMb) {
      figures.push(...(await measureHeap(heapMb, options)));
      const rounds = options.isQuick ? 1 : heapMb >= 500 ? 3 : 7;
      rivals.push(...(await measureLiveEdit(heapMb, counts, rounds)));
      options.say(`${heapMb} MB, LiveEdit: ${rivals.filter((one) => one.heapMb === heapMb).map((one) => `${one.modules} modules ${one.blockMs.p50} ms`).join(", ")}`);
    }
    const large = await measureLarge(options);
    return {
      figures: { swaps: [...figures, large] },
      rivals: { "V8 LiveEdit": rivals },
      ratios: Object.fromEntries(rivals.map(({ modules, heapMb, blockMs }) => [`LiveEdit / midflight, ${modules} of ${heapMb} MB`, round(blockMs.p50 / find(figures, modules, heapMb).swap.p50, 1)])),
      bars: [...[...figures, large].flatMap(barsOf), ...counts.map((modules) => flatness(figures, modules)), ...sizeBars(large, find(figures, large.modules, large.heapMb))],
      voidBecause: null,
    };
  },
};

function barsOf({ modules, units, heapMb, excessP50Ms, excessP95Ms }: Excess): Bar[] {
  const of = `${modules} module${modules === 1 ? "" : "s"}${units > appModules ? ` of ${units}` : ""}, ${heapMb} MB`;
  return [bar(`${of}: excess p50 ms`, excessP50Ms, "<=", 2), bar(`${of}: excess p95 ms`, excessP95Ms, "<=", 2)];
}

function flatness(figures: readonly Excess[], modules: number): Bar {
  const [small, large] = [10, 500].map((heapMb) => Math.max(find(figures, modules, heapMb).excessP50Ms, 0)) as [number, number];
  return bar(`${modules} modules: excess p50 at 500 MB over 1.5 × that at 10 MB, ms`, round(large - 1.5 * small), "<=", 0.5);
}

/** Shams would hide what grows with the release: they pay it, too. */
function sizeBars(large: Excess, small: Excess): Bar[] {
  const { units, modules } = large;
  return [
    bar(`${modules} modules: longest turn, p50, of ${units} over that of ${appModules}, ms`, round(large.swap.p50 - small.swap.p50), "<=", 0.5),
    bar(`a swap that changes nothing: longest turn, p50, of ${units} over that of ${appModules}, ms`, round(large.sham.p50 - small.sham.p50), "<=", 0.5),
  ];
}

function find(figures: readonly Excess[], modules: number, heapMb: number): Excess {
  return figures.find((one) => one.modules === modules && one.heapMb === heapMb)!;
}

async function measureHeap(heapMb: number, { isQuick, say }: BenchOptions): Promise<Excess[]> {
  return withApp(heapMb, 0, async (system, app) => {
    const found: Excess[] = [];
    for (const modules of counts) {
      const one = await measureCount(system, app, { heapMb, modules, units: appModules, rounds: isQuick ? 4 : 30 });
      found.push(one);
      say(told(one));
    }
    return found;
  });
}

async function measureLarge({ isQuick, say }: BenchOptions): Promise<Excess> {
  const { units, heapMb, modules, rounds } = largeRelease;
  return withApp(heapMb, units - appModules, async (system, app) => {
    const one = await measureCount(system, app, { heapMb, modules, units, rounds: isQuick ? 4 : rounds });
    say(told(one));
    return one;
  });
}

function told({ heapMb, modules, units, swap, sham, agent }: Excess): string {
  return `${heapMb} MB, ${modules} of ${units} modules: swap p50 ${swap.p50} ms p95 ${swap.p95}, sham p50 ${sham.p50} p95 ${sham.p95}, agent's own ${agent.swap.p50}`;
}

async function withApp<T>(heapMb: number, others: number, measure: (system: System, app: AppProcess) => Promise<T>): Promise<T> {
  const system = await startSystem({ app: "paused", files: appFiles(others), code: ["src"], run: "node src/app.js", ready: /^port (\d+)$/, env: { HEAP_MB: String(heapMb) } });
  try {
    const first = await system.publish();
    const app = await system.start({ imports: [pathToFileURL(path.join(import.meta.dirname, "meter.mjs")).href], probationMs: 0 });
    await system.beat("the agent follows", (beat) => beat.pid === app.pid && beat.state === "following" && beat.live === first.release);
    const found = await measure(system, app);
    await app.stop();
    return found;
  } finally {
    await system.close();
  }
}

interface Measured {
  readonly heapMb: number;
  readonly modules: number;
  readonly units: number;
  readonly rounds: number;
}

/** Swaps and shams in random order. A swap is followed by one back to the boot text, so that all swaps are alike. */
async function measureCount(system: System, app: AppProcess, { heapMb, modules, units, rounds }: Measured): Promise<Excess> {
  const random = createRandom(heapMb + modules);
  const windows: Record<"swap" | "back" | "sham", Window[]> = { swap: [], back: [], sham: [] };
  const next = windowsOf(app);
  const publish = async (kind: keyof typeof windows, files: Record<string, string>): Promise<void> => {
    system.write(files);
    const published = await system.publish();
    const window = await next(published.counter);
    if (window.kind !== "swapped") throw new Error(`a swap was ${window.kind}`);
    windows[kind].push(window);
  };
  const texts = (revision: number): Record<string, string> => Object.fromEntries(Array.from({ length: modules }, (_, i) => [moduleFile(i), moduleText(i, revision)]));
  const plan = shuffle([...Array<"swap">(rounds).fill("swap"), ...Array<"sham">(rounds).fill("sham")], random);
  for (const [i, kind] of plan.entries()) {
    if (kind === "sham") await publish("sham", { "src/remark.js": remarkText(modules * 1000 + i + 1) });
    else {
      await publish("swap", texts(i + 1));
      await publish("back", texts(0));
    }
  }
  const spread = (kind: keyof typeof windows, name: "longestMs" | "pauseMs" | "delayMs"): Spread => spreadOf(windows[kind].map((one) => one[name]));
  const longest = (kind: keyof typeof windows): number[] => windows[kind].map((one) => one.longestMs);
  return {
    modules,
    units,
    heapMb,
    swap: spread("swap", "longestMs"),
    back: spread("back", "longestMs"),
    sham: spread("sham", "longestMs"),
    longestIn: countOf(windows.swap.map((one) => one.longestIn)),
    excessP50Ms: round(median(longest("swap")) - median(longest("sham"))),
    excessP95Ms: round(percentile(longest("swap"), 95) - percentile(longest("sham"), 95)),
    agent: { swap: spread("swap", "pauseMs"), sham: spread("sham", "pauseMs") },
    delay: { swap: spread("swap", "delayMs"), sham: spread("sham", "delayMs") },
  };
}

function countOf(names: readonly string[]): Readonly<Record<string, number>> {
  const counts: Record<string, number> = {};
  for (const name of names) counts[name] = (counts[name] ?? 0) + 1;
  return counts;
}

/** What the meter in the app says of each assign. */
function windowsOf(app: AppProcess): (counter: number) => Promise<Window> {
  return async (counter) => {
    const line = await app.waitForLine(new RegExp(`^\\{"event":"window","counter":${counter},.*$`), { timeoutMs: 30_000 });
    return JSON.parse(line[0]) as Window;
  };
}

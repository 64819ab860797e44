import { runGenerations, type GenerationsResult } from "../../e2e/generations/run-generations.ts";
import { nodeBinary, nodeMajors } from "../../scripts/node-versions.mjs";
import { bar, type Bar, type Bench, type Findings } from "../bench.ts";
import { round, spreadOf, type Spread } from "../statistics.ts";

/** What a process may keep of 900 updates, code that warms up included. */
const keptMb = 2.5;
/** The last window's median over the first one's. */
const slower = 1.5;

interface NodeFigures {
  readonly node: number;
  readonly updates: number;
  readonly swaps: number;
  /** How often the process was compared with cold starts. */
  readonly checks: number;
  /** From before the plan until the report, ms: around the 10th update but one, and the last. */
  readonly firstMs: Spread;
  readonly lastMs: Spread;
  readonly pauseMs: Spread;
  /** Heap in use after a full collection, MB, by update. */
  readonly heapMb: Readonly<Record<string, number>>;
}

export const generations: Bench = {
  name: "generations",
  summary: "1,000 updates of one process: equal to a cold start, memory and time per update flat",
  async run({ nodes, isQuick, say }): Promise<Findings> {
    const updates = isQuick ? 60 : 1_000;
    const figures: NodeFigures[] = [];
    const bars: Bar[] = [];
    for (const node of nodes ?? nodeMajors) {
      const result = await runGenerations({ node: nodeBinary(node), updates, checkEvery: updates / 10, weighEvery: updates / 10, say: (line) => say(`Node ${node}: ${line}`) });
      const one = figuresOf(node, result);
      figures.push(one);
      bars.push(...barsOf(one));
    }
    return {
      figures: { nodes: figures },
      rivals: {},
      ratios: Object.fromEntries(figures.map(({ node, firstMs, lastMs }) => [`Node ${node}: last window / first`, round(lastMs.p50 / firstMs.p50, 2)])),
      bars,
      voidBecause: null,
    };
  },
};

/** Windows of a twentieth: updates 6 to 55 are those around the 10th that have settled, of 1,000. */
function figuresOf(node: number, { updates, swaps, checks, heapBytes }: GenerationsResult): NodeFigures {
  const width = updates.length / 20;
  // What goes back plans less, and what is skipped plans more: deploys are compared with deploys.
  const timesOf = (part: typeof updates): number[] => part.filter(({ kind }) => kind === "deploy").map(({ tookMs }) => tookMs);
  return {
    node,
    updates: updates.length,
    swaps,
    checks,
    firstMs: spreadOf(timesOf(updates.slice(5, 5 + width))),
    lastMs: spreadOf(timesOf(updates.slice(-width))),
    pauseMs: spreadOf(updates.map(({ pauseMs }) => pauseMs)),
    heapMb: Object.fromEntries([...heapBytes].map(([n, bytes]) => [n, round(bytes / 1e6, 2)])),
  };
}

function barsOf({ node, updates, checks, firstMs, lastMs, heapMb }: NodeFigures): Bar[] {
  const grownMb = (heapMb[updates] ?? Number.NaN) - (heapMb[updates / 10] ?? Number.NaN);
  return [
    bar(`Node ${node}: times that ${updates} updates equalled a cold start`, checks, "==", 10),
    bar(`Node ${node}: heap after update ${updates} over that after ${updates / 10}, MB`, round(grownMb), "<=", keptMb),
    bar(`Node ${node}: time per update, the last over the first, medians`, round(lastMs.p50 / firstMs.p50), "<=", slower),
  ];
}

import { describeLoad } from "@midflight/testkit";
import { runLive, type LiveResult } from "../../e2e/live/run-live.ts";
import { nodeMajors } from "../../scripts/node-versions.mjs";
import { bar, type Bench, type Figures, type Findings } from "../bench.ts";
import { round, spreadOf } from "../statistics.ts";

/** What each app answers with room to spare, together with the generator, on two processors. json-server writes a file for each change. */
const rates = { shop: 1000, "json-server": 400 } as const;

export const live: Bench = {
  name: "live",
  summary: "50,000 requests across 30 swaps, on the shop and on json-server, on each Node: none may fail",
  async run({ nodes, isQuick, say }): Promise<Findings> {
    const requests = isQuick ? 2000 : 50_000;
    const swaps = isQuick ? 5 : 31;
    const results: LiveResult[] = [];
    for (const node of nodes ?? nodeMajors) {
      for (const app of ["shop", "json-server"] as const) {
        const result = await runLive({ node, app, requests, swaps, ratePerSecond: rates[app] });
        results.push(result);
        say(`${app} on Node ${node}: ${describeLoad(result.load)}, ${swaps} swaps${result.faults.map((fault) => `\n  ${fault}`).join("")}`);
      }
    }
    return {
      figures: Object.fromEntries(results.map((result) => [nameOf(result), figuresOf(result)])),
      rivals: {},
      ratios: {},
      bars: results.flatMap((result) => {
        const { load, swaps: made, faults } = result;
        const of = nameOf(result);
        return [
          bar(`${of}: requests`, load.completed, ">=", requests),
          bar(`${of}: swaps`, made.patch + made.redefine + made.rollback, ">=", swaps),
          bar(`${of}: failed`, load.failed, "==", 0),
          bar(`${of}: promises broken`, faults.length, "==", 0),
        ];
      }),
      voidBecause: results.find((result) => result.load.voidBecause !== null)?.load.voidBecause ?? null,
    };
  },
};

function nameOf({ app, node }: LiveResult): string {
  return `${app}, Node ${node}`;
}

function figuresOf({ load, swaps, pausesMs, figures, faults }: LiveResult): Figures {
  return {
    requests: load.completed,
    failed: load.failed,
    failureRateBelow: load.failureRateBelow,
    swaps,
    pauseMs: spreadOf(pausesMs),
    latencyMs: Object.fromEntries(Object.entries(load.latencyMs).map(([name, ms]) => [name, round(ms)])),
    longestSilenceMs: round(load.maxGapMs),
    faults,
    ...figures,
  };
}

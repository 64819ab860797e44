import { bar, type Bench, type Findings } from "../bench.ts";
import { round, spreadOf, type Spread } from "../statistics.ts";
import { timeOwnApp } from "./own-app.ts";
import { timeTour } from "./tour.ts";

/** What somebody who only wants to see it has patience for. */
const patienceSeconds = 300;

export const firstSwap: Bench = {
  name: "first-swap",
  summary: "from `git clone`, with nothing in npm's cache, to the first code that changes live: the tour, and an app of one's own",
  async run({ isQuick, say }): Promise<Findings> {
    const rounds = isQuick ? 1 : 3;
    const tours: Record<string, number>[] = [];
    const apps: Record<string, number>[] = [];
    for (let i = 0; i < rounds; i += 1) {
      tours.push(withTotal({ ...(await timeTour()) }, ["clone", "setUp", "live"], "cloneToLive"));
      say(`tour: ${describe(tours.at(-1)!)}`);
      apps.push(withTotal({ ...(await timeOwnApp()) }, ["clone", "build", "install", "init", "up", "saveToLive"], "cloneToLive"));
      say(`own app: ${describe(apps.at(-1)!)}`);
    }
    const [tour, ownApp] = [spreads(tours), spreads(apps)];
    return {
      figures: { tourSeconds: tour, ownAppSeconds: ownApp },
      rivals: {},
      ratios: {},
      bars: [
        bar("from clone to the tour's first edit live, s p50", tour["cloneToLive"]!.p50, "<=", patienceSeconds),
        bar("from clone to the first edit of an app of one's own live, s p50", ownApp["cloneToLive"]!.p50, "<=", patienceSeconds),
      ],
      voidBecause: null,
    };
  },
};

function withTotal(times: Readonly<Record<string, number>>, parts: readonly string[], name: string): Record<string, number> {
  return { ...times, [name]: parts.reduce((sum, part) => sum + times[part]!, 0) };
}

/** By part, in seconds. */
function spreads(rounds: readonly Readonly<Record<string, number>>[]): Record<string, Spread> {
  return Object.fromEntries(Object.keys(rounds[0]!).map((part) => [part, spreadOf(rounds.map((times) => times[part]! / 1000))]));
}

function describe(times: Readonly<Record<string, number>>): string {
  return Object.entries(times).map(([part, ms]) => `${part} ${round(ms / 1000, 1)} s`).join(", ");
}

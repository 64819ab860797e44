import { readResult, type Result } from "./result.ts";

interface Row {
  readonly bench: string;
  readonly what: string;
  readonly figure: (result: Result) => string;
}

const heaps = [10, 100, 500] as const;

/** What the README says of each kept result. Every number comes out of it. */
const rows: readonly Row[] = [
  {
    bench: "save-to-live",
    what: "last write → first answer by new code, 1 module of an app of 500",
    figure: (result) => {
      const rivals = result.names("rivals").map((name) => ({ name: nameOf(name), p50: result.number("rivals", name, "one", "ms", "p50") })).sort((a, b) => a.p50 - b.p50);
      return `p50 ${ms(result.number("figures", "marked", "one", "ms", "p50"))} ms; in the same run ${rivals.map(({ name, p50 }) => `${name} ${ms(p50)}`).join(", ")} ms`;
    },
  },
  {
    bench: "save-to-live",
    what: "the same when all 500 modules of 6 KB change at once",
    figure: (result) => {
      const ours = result.number("figures", "marked", "all", "ms", "p50");
      const restart = result.number("rivals", "node --watch", "all", "ms", "p50");
      return `p50 ${seconds(ours)} s, ${ours > restart ? "slower" : "faster"} than a restart: \`node --watch\` ${seconds(restart)} s`;
    },
  },
  {
    bench: "pause",
    what: "event loop blocked by a swap of 1 module, beyond a swap that changes nothing",
    figure: (result) => `p50 ≤ ${upToTenth(Math.max(0, ...excesses(result, 1)))} ms at heaps of ${heaps.slice(0, -1).join(", ")} and ${heaps.at(-1)} MB; V8's LiveEdit: ${seconds(liveEdit(result, 1))} s at 500 MB`,
  },
  {
    bench: "pause",
    what: "the same for 50 modules",
    figure: (result) => {
      const all = excesses(result, 50);
      const isFlat = result.isReached("50 modules: excess p50 at 500 MB over");
      return `p50 ${tenth(Math.min(...all))} to ${tenth(Math.max(...all))} ms, ${isFlat ? "not growing" : "growing"} with the heap; V8's LiveEdit: ${seconds(liveEdit(result, 50))} s at 500 MB`;
    },
  },
  {
    bench: "live",
    what: "requests that failed under load while code was swapped, on the shop and on json-server, on Node.js 20, 22, 24 and 26",
    figure: (result) => {
      const runs = result.names("figures");
      const sum = (...key: readonly string[]): number => runs.reduce((all, run) => all + result.number("figures", run, ...key), 0);
      const swaps = sum("swaps", "patch") + sum("swaps", "redefine") + sum("swaps", "rollback");
      return `${sum("failed")} of ${thousands(sum("requests"))}, across ${swaps} swaps`;
    },
  },
  {
    bench: "rolling",
    what: "requests that failed, and kept connections that clients had to open again, while a process was replaced again and again under 1,000 requests a second",
    figure: (result) => {
      const told = (...way: readonly string[]): string => `${result.number(...way, "failed")} of ${thousands(result.number(...way, "requests"))}, and ${result.number(...way, "reconnects")} of ${thousands(result.number(...way, "keptConnections"))}, in ${result.number(...way, "replacements")} replacements`;
      return [told("figures"), ...result.names("rivals").map((name) => `${nameOf(name)}: ${told("rivals", name)}`)].join("; ");
    },
  },
  {
    bench: "router",
    what: "CPU that the router adds to a request of an app that does nothing, while two environments serve",
    figure: (result) => `${tenth(result.number("figures", "addedUs"))} µs; in the same run ${result.names("rivals").map((name) => `${name} ${tenth(result.number("rivals", name, "addedUs"))} µs`).join(", ")}`,
  },
  {
    bench: "first-swap",
    what: "`git clone`, with nothing in npm's cache → the tour's first edit is live",
    figure: (result) => `p50 ${whole(result, "tourSeconds", "cloneToLive")} s, of which ${whole(result, "tourSeconds", "setUp")} s for npm and the build`,
  },
  {
    bench: "first-swap",
    what: "the same → an edit of an app of your own is live, without the typing",
    figure: (result) => `p50 ${whole(result, "ownAppSeconds", "cloneToLive")} s, of which ${whole(result, "ownAppSeconds", "build")} s for npm and the build`,
  },
];

/** The table, and where its figures were taken. Benches of which no run is kept have no row. */
export function renderMeasured(read: (bench: string) => Result | null = readResult): string {
  const results = new Map([...new Set(rows.map(({ bench }) => bench))].map((bench) => [bench, read(bench)]));
  const lines = rows.flatMap(({ bench, what, figure }) => {
    const result = results.get(bench) ?? null;
    return result === null ? [] : [`| ${what} | ${figure(result)} | \`${bench}\` |`];
  });
  const kept = [...results.values()].filter((result) => result !== null);
  return ["| what | figure | bench |", "| --- | --- | --- |", ...lines, "", `Taken at ${kept.map(whereTaken).join("; ")}.`, ""].join("\n");
}

/** A machine whose processors had no rest before the bench had something else to do. */
function whereTaken(result: Result): string {
  const [processors = "", ...cpu] = result.text("env", "cpu").split(" × ");
  const wasBusy = result.number("env", "load") > Number(processors);
  return `commit ${result.text("env", "commit").slice(0, 7)} (\`${result.bench}\`) on ${processors} cores of ${cpu.join(" × ").replaceAll("(R)", "")}, Node.js ${result.text("env", "node")}${wasBusy ? ", busy with other work" : ""}`;
}

function excesses(result: Result, modules: number): number[] {
  return heaps.map((heapMb) => result.number("figures", "swaps", { modules, heapMb }, "excessP50Ms"));
}

function liveEdit(result: Result, modules: number): number {
  return result.number("rivals", "V8 LiveEdit", { modules, heapMb: 500 }, "blockMs", "p50");
}

function nameOf(rival: string): string {
  return rival === "pm2 reload" ? "PM2 reload" : rival.includes(" ") || rival.includes(":") ? `\`${rival}\`` : rival;
}

function whole(result: Result, way: string, part: string): string {
  return result.number("figures", way, part, "p50").toFixed(0);
}

function ms(value: number): string {
  return value < 9.95 ? tenth(value) : value.toFixed(0);
}

function seconds(valueMs: number): string {
  return ms(valueMs / 1000);
}

function tenth(value: number): string {
  return value.toFixed(1);
}

function thousands(value: number): string {
  return value.toLocaleString("en-US");
}

function upToTenth(value: number): string {
  return tenth(Math.ceil(value * 10) / 10);
}

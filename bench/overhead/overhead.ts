import { execFileSync } from "node:child_process";
import path from "node:path";
import { pathToFileURL } from "node:url";
import { once } from "node:events";
import { connect, type Socket } from "node:net";
import { createRandom, startApp, startSystem, type AppProcess, type System } from "@midflight/testkit";
import { nodeBinary, nodeMajors } from "../../scripts/node-versions.mjs";
import { bar, type Bench, type BenchOptions, type Findings } from "../bench.ts";
import { bootstrapMedian, median, round, shuffle } from "../statistics.ts";
import { measuredApps, type MeasuredApp, type OverheadCase } from "./apps.ts";
import { Connections } from "./request-blocks.ts";

/** Two without an agent, to see what the measuring itself is good for; `open`: with an agent, while a request keeps the generation before an update open. */
const sides = ["off", "off again", "on", "open"] as const;
type Side = (typeof sides)[number];

interface Running {
  readonly app: AppProcess;
  /** The system that only this process follows; null for those that share one. */
  readonly system: System | null;
  /** Keeps a request under way. */
  readonly held: Socket | null;
  readonly meterPort: number;
  readonly connections: Connections;
}

interface CaseFigures {
  readonly node: number;
  readonly name: string;
  readonly kind: OverheadCase["kind"];
  /** Microseconds of CPU per request. */
  readonly offUs: number;
  readonly onUs: number;
  /** On over off: the median of the launches' medians, and the bound that it stays below with 95 % certainty. */
  readonly ratio: number;
  readonly ratioBelow: number;
  /** While an update is open, over the same agent when none is. */
  readonly openUs: number;
  readonly openRatio: number;
  readonly openRatioBelow: number;
  /** One without an agent over the other. */
  readonly noise: number;
  readonly rounds: number;
}

/** A request that takes this much CPU, in microseconds, is an ordinary one; a route with nothing behind it takes a tenth of that. */
const ordinaryUs = 200;

/**
 * What an agent may cost. The context that keeps a request on one version costs the same for each request, and on Node 20
 * and 22 most: it shows where a request does nothing else.
 */
function limitOf({ kind, node, offUs }: Pick<CaseFigures, "kind" | "node" | "offUs">): number {
  if (kind === "loop" || offUs >= ordinaryUs) return 1.02;
  return node >= 24 ? 1.05 : 1.12;
}

/** What calls may cost more while two generations are open. */
const openLimit = 1.05;
const noiseLimit = 0.01;
/** No request is moved on while it is measured, in ms. */
const pinMs = 3_600_000;

export const overhead: Bench = {
  name: "overhead",
  summary: "CPU per request with and without an agent, on the shop, on json-server and in tight loops, on each Node",
  async run(options): Promise<Findings> {
    const figures: CaseFigures[] = [];
    for (const node of options.nodes ?? nodeMajors) for (const app of measuredApps()) figures.push(...(await measureApp(app, node, options)));
    const noisy = figures.filter(({ noise }) => Math.abs(noise - 1) > noiseLimit);
    return {
      figures: { cases: figures },
      rivals: {},
      ratios: Object.fromEntries(figures.map(({ node, name, ratio }) => [`${name}, Node ${node}`, ratio])),
      bars: figures.flatMap((one) => [
        bar(`${one.name}, Node ${one.node}: upper bound of on / off`, one.ratioBelow, "<=", limitOf(one)),
        bar(`${one.name}, Node ${one.node}: upper bound of update open / on`, one.openRatioBelow, "<=", openLimit),
      ]),
      voidBecause: noisy.length === 0 ? null : `without an agent on either side, ${noisy.map(({ name, node, noise }) => `${name} on Node ${node} differs by ${noise}`).join(", ")}`,
    };
  },
};

async function measureApp(app: MeasuredApp, node: number, { isQuick, say }: BenchOptions): Promise<CaseFigures[]> {
  const [launches, rounds] = isQuick ? [3, 8] : [8, 15];
  const random = createRandom(node);
  const system = await startSystem(app.system);
  try {
    await app.prepare(system);
    await system.publish();
    const costs = new Map<string, Record<Side, number[]>>(app.cases.map(({ name }) => [name, { off: [], "off again": [], on: [], open: [] }]));
    // Two processes of the same code differ for life by how they were laid out, by a tenth and more: many launches even
    // that out, and each counts as one finding.
    for (let launch = 0; launch < launches; launch += 1) {
      const running = await startAll(app, system, node, launch);
      try {
        for (const one of app.cases) {
          const count = await calibrate(running, one);
          for (let i = 0; i < rounds; i += 1) {
            for (const side of shuffle(sides, random)) costs.get(one.name)![side].push(await costOf(running[side], one, count));
          }
        }
      } finally {
        await stopAll(running);
      }
    }
    return app.cases.map(({ name, kind }) => {
      const found = toFigures(costs.get(name)!, rounds, { node, name, kind });
      say(`${name}, Node ${node}: ${found.offUs} → ${found.onUs} → ${found.openUs} µs, ratio ${found.ratio} (below ${found.ratioBelow}), update open ${found.openRatio} (below ${found.openRatioBelow}), noise ${found.noise}`);
      return found;
    });
  } finally {
    await system.close();
  }
}

function toFigures(costs: Record<Side, readonly number[]>, rounds: number, one: Pick<CaseFigures, "node" | "name" | "kind">): CaseFigures {
  /** The median of each launch. */
  const over = (side: Side, base: (i: number) => number): number[] => {
    const pairs = costs[side].map((cost, i) => cost / base(i));
    return Array.from({ length: pairs.length / rounds }, (_, launch) => median(pairs.slice(launch * rounds, (launch + 1) * rounds)));
  };
  const of = (side: Side) => (i: number): number => costs[side][i] ?? Number.NaN;
  const ratios = over("on", (i) => (of("off")(i) + of("off again")(i)) / 2);
  const openRatios = over("open", of("on"));
  return {
    ...one,
    offUs: round(median([...costs.off, ...costs["off again"]]), 1),
    onUs: round(median(costs.on), 1),
    ratio: round(median(ratios), 4),
    ratioBelow: round(bootstrapMedian(ratios).high, 4),
    openUs: round(median(costs.open), 1),
    openRatio: round(median(openRatios), 4),
    openRatioBelow: round(bootstrapMedian(openRatios).high, 4),
    noise: round(median(over("off", of("off again"))), 4),
    rounds: costs.on.length,
  };
}

async function startAll(app: MeasuredApp, system: System, node: number, launch: number): Promise<Record<Side, Running>> {
  const imports = [pathToFileURL(path.join(import.meta.dirname, "meter.mjs")).href];
  const run = async (started: AppProcess, more: Pick<Running, "system" | "held"> = { system: null, held: null }): Promise<Running> => {
    pin(started.pid);
    const meterPort = Number((await started.waitForLine(/^meter (\d+)$/))[1]);
    return { app: started, meterPort, connections: await Connections.open(started.url), ...more };
  };
  const bare = async (id: string): Promise<Running> => {
    const args = await app.args(system, id);
    return run(await startApp({ node: nodeBinary(node), imports, args, cwd: system.projectDir, env: { PORT: "0", ...app.system.env }, isManaged: false, ready: app.system.ready }));
  };
  const underAgent = async (followed: System, id: string, env: Record<string, string> = {}): Promise<AppProcess> => {
    const args = await app.args(followed, id);
    const started = await followed.start({ node: nodeBinary(node), imports, args, target: id, env });
    await followed.beat("the agent follows", (beat) => beat.pid === started.pid && beat.state === "following");
    return started;
  };
  const idOf = (side: string): string => `${side}-${node}-${launch}`;
  return { off: await bare(idOf("off")), "off again": await bare(idOf("off-again")), on: await run(await underAgent(system, idOf("on"))), open: await startOpen() };

  /** A system of its own: what it updates, the others would too. */
  async function startOpen(): Promise<Running> {
    const own = await startSystem(app.system);
    try {
      await app.prepare(own);
      await own.publish();
      const started = await underAgent(own, idOf("open"), { MIDFLIGHT_PIN_MS: String(pinMs) });
      const held = await hold(started.url, app.endless);
      await app.change(own);
      await own.swapped(await own.publish(), idOf("open"));
      return await run(started, { system: own, held });
    } catch (error) {
      await own.close();
      throw error;
    }
  }
}

/** Begins a request that does not end. */
async function hold(url: URL, head: string): Promise<Socket> {
  (await Connections.open(url, 1)).close();
  const socket = connect({ host: url.hostname, port: Number(url.port) });
  socket.on("error", () => {});
  await once(socket, "connect");
  socket.write(head);
  // Connections are taken in turn: once a later one is answered, this one's request has begun.
  await fetch(url);
  return socket;
}

async function stopAll(running: Record<Side, Running>): Promise<void> {
  for (const { app, connections, held, system } of Object.values(running)) {
    connections.close();
    held?.destroy();
    await app.killGroup();
    await system?.close();
  }
}

/** Short blocks, so that what else the machine does comes to all sides alike; in ms of CPU. */
const blockMs = 60;
const warmUpMs = 1000;
/** Until about then V8 still compiles what a request runs through, and an agent brings more of it: what starts costs more than what runs. */
const warmUpRequests = 20_000;

/** Warms each side up, and finds how many requests are one block. Both by CPU: on a busy machine the clock says nothing. */
async function calibrate(running: Record<Side, Running>, one: OverheadCase): Promise<number> {
  let count = 200;
  for (const side of sides) {
    for (let usedMs = 0, sent = 0; usedMs < warmUpMs || sent < warmUpRequests; ) {
      const tookMs = ((await costOf(running[side], one, count)) * count) / 1000;
      usedMs += tookMs;
      sent += count;
      count = Math.max(50, Math.round((count * blockMs) / Math.max(tookMs, 1)));
    }
  }
  // Whole turns through the list: each block asks for the same.
  return Math.ceil(count / one.requests.length) * one.requests.length;
}

/** Microseconds of CPU per request in one block. */
async function costOf(running: Running, one: OverheadCase, count: number): Promise<number> {
  const before = await readMeter(running.meterPort);
  await running.connections.send(one.requests, count);
  return ((await readMeter(running.meterPort)) - before) / count;
}

function readMeter(port: number): Promise<number> {
  return new Promise((resolve, reject) => {
    let text = "";
    const socket = connect({ port, host: "127.0.0.1" });
    socket.on("data", (chunk: Buffer) => (text += chunk.toString()));
    socket.on("error", reject);
    socket.on("end", () => resolve(Number(text)));
  });
}

/** The servers on one processor, the generator on the other, where that can be had. */
export function pin(pid: number): void {
  if (process.platform !== "linux") return;
  try {
    execFileSync("taskset", ["-acp", "0", String(pid)], { stdio: "ignore" });
  } catch {
    // Without it the figures only scatter more, and the A/A comparison tells.
    return;
  }
}

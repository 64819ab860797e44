import path from "node:path";
import { pathToFileURL } from "node:url";
import { createRandom, startApp, startSystem } from "@midflight/testkit";
import { nodeBinary, nodeMajors } from "../../scripts/node-versions.mjs";
import { bar, type Bench, type Findings } from "../bench.ts";
import { median, round, shuffle, spreadOf, type Spread } from "../statistics.ts";
import { measuredApps } from "../overhead/apps.ts";

interface StartFigures {
  readonly node: number;
  readonly app: string;
  /** From the process's start until it serves, ms. */
  readonly offMs: Spread;
  readonly onMs: Spread;
  readonly addedMs: number;
  /** Heap in use after a full collection, MB. */
  readonly addedHeapMb: number;
}

export const start: Bench = {
  name: "start",
  summary: "what an agent adds to the start of a process and to its heap, on the shop and on json-server",
  async run({ nodes, isQuick, say }): Promise<Findings> {
    const found: StartFigures[] = [];
    for (const node of nodes ?? nodeMajors) {
      for (const app of measuredApps().filter(({ name }) => name !== "loops")) {
        const one = await measure(app, node, isQuick ? 3 : 15);
        found.push(one);
        say(`${app.name}, Node ${node}: starts in ${one.offMs.p50} ms, with an agent in ${one.onMs.p50} ms; heap + ${one.addedHeapMb} MB`);
      }
    }
    return {
      figures: { starts: found },
      rivals: {},
      ratios: Object.fromEntries(found.map(({ node, app, onMs, offMs }) => [`${app}, Node ${node}: start on / off`, round(onMs.p50 / offMs.p50, 2)])),
      bars: found.map(({ node, app, addedMs }) => bar(`${app}, Node ${node}: an agent adds to the start, ms p50`, addedMs, "<=", 150)),
      voidBecause: null,
    };
  },
};

async function measure(app: ReturnType<typeof measuredApps>[number], node: number, rounds: number): Promise<StartFigures> {
  const system = await startSystem(app.system);
  try {
    await app.prepare(system);
    const { release } = await system.publish();
    // Before any clock starts.
    await system.materialise(release);
    const meter = pathToFileURL(path.join(import.meta.dirname, "heap-meter.mjs")).href;
    const times: Record<"off" | "on", number[]> = { off: [], on: [] };
    const heaps: Record<"off" | "on", number[]> = { off: [], on: [] };
    const random = createRandom(node);
    for (let i = 0; i < rounds; i += 1) {
      for (const side of shuffle(["off", "on"] as const, random)) {
        const id = `${side}-${node}`;
        const args = await app.args(system, `${id}-${i}`);
        const options = { node: nodeBinary(node), imports: [meter], args };
        const startedMs = performance.now();
        const started = side === "on" ? await system.start({ ...options, target: id, release }) : await startApp({ ...options, cwd: system.projectDir, env: { PORT: "0", ...app.system.env }, isManaged: false, ready: app.system.ready });
        times[side].push(performance.now() - startedMs);
        if (side === "on") await system.beat("the agent follows", (beat) => beat.pid === started.pid && beat.state === "following");
        process.kill(started.pid, "SIGUSR2");
        heaps[side].push(Number((await started.waitForLine(/^heap (\d+)$/))[1]) / 1e6);
        await started.killGroup();
      }
    }
    return {
      node,
      app: app.name,
      offMs: spreadOf(times.off),
      onMs: spreadOf(times.on),
      addedMs: round(median(times.on) - median(times.off)),
      addedHeapMb: round(median(heaps.on) - median(heaps.off), 2),
    };
  } finally {
    await system.close();
  }
}

import { mkdtempSync, rmSync } from "node:fs";
import os from "node:os";
import path from "node:path";
import { insertRouter, keepHolder } from "@midflight/supervisor";
import { createRandom, freePort } from "@midflight/testkit";
import { ensureInstalled } from "../../scripts/setup/install.mjs";
import { nodeBinary } from "../../scripts/node-versions.mjs";
import { bar, type Bench, type Findings } from "../bench.ts";
import { Connections } from "../overhead/request-blocks.ts";
import { versionOf } from "../save-to-live/rivals.ts";
import { median, round, shuffle } from "../statistics.ts";
import { cpuUs, direct, throughHaproxy, throughHttpProxy, type Way } from "./processes.ts";

const connectionsAtOnce = 16;
/** Requests before it counts: until the compilers have settled. */
const warmUp = 20_000;

export const router: Bench = {
  name: "router",
  summary: "CPU per request that the router adds to an app that does nothing, beside http-proxy and, if it is installed, haproxy",
  async run({ isQuick, say }): Promise<Findings> {
    const [rounds, requests] = isQuick ? [2, 2000] : [9, 12_000];
    await ensureInstalled(path.join(import.meta.dirname, "../rivals"), "the rivals");
    const directory = mkdtempSync(path.join(os.tmpdir(), "midflight-router-bench-"));
    const ways: Way[] = [];
    const closing: (() => void | Promise<void>)[] = [];
    try {
      const app = await direct();
      ways.push(app);
      const ours = await throughOurs(directory);
      closing.push(() => ours.stop());
      ways.push(ours.way, await throughHttpProxy(app));
      const haproxy = await throughHaproxy(app, directory);
      if (haproxy !== null) ways.push(haproxy);
      const us = await measure(ways, rounds, requests);
      const addedUs = Object.fromEntries(ways.slice(1).map(({ name }) => [name, round(median(us.get(name)!.map((value, i) => value - us.get("direct")![i]!)))]));
      for (const [name, added] of Object.entries(addedUs)) say(`${name}: ${added} µs of CPU per request more than direct`);
      const { midflight, ...others } = addedUs;
      return {
        figures: { rounds, requests, connections: connectionsAtOnce, directUs: round(median(us.get("direct")!)), addedUs: midflight },
        rivals: Object.fromEntries(Object.entries(others).map(([name, value]) => [name, { addedUs: value, ...(name === "http-proxy" ? { version: versionOf("http-proxy") } : {}) }])),
        ratios: Object.fromEntries(Object.entries(others).map(([name, value]) => [`${name} / midflight`, round(value / midflight!)])),
        bars: [bar("CPU per request that the router adds, µs", midflight!, "<=", 40)],
        voidBecause: null,
      };
    } finally {
      for (const close of closing) await close();
      for (const way of ways) way.close();
      rmSync(directory, { recursive: true, force: true });
    }
  },
};

/** Each round asks all of them in another order: what else runs on the machine meets all alike. */
async function measure(ways: readonly Way[], rounds: number, requests: number): Promise<ReadonlyMap<string, number[]>> {
  const connections = new Map<Way, Connections>();
  const random = createRandom(1);
  const us = new Map<string, number[]>(ways.map(({ name }) => [name, []]));
  try {
    for (const way of ways) {
      connections.set(way, await Connections.open(way.url, connectionsAtOnce));
      await connections.get(way)!.send([{ path: "/" }], warmUp);
    }
    for (let turn = 0; turn < rounds; turn++) {
      for (const way of shuffle([...ways], random)) {
        const before = cpuUs(way.pids);
        await connections.get(way)!.send([{ path: "/" }], requests);
        us.get(way.name)!.push((cpuUs(way.pids) - before) / requests);
      }
    }
    return us;
  } finally {
    for (const open of connections.values()) open.close();
  }
}

/** The app as the holder starts it, with the router before it. */
async function throughOurs(root: string): Promise<{ readonly way: Way; stop(): Promise<void> }> {
  const port = await freePort();
  const keeper = keepHolder({ root, log: (name) => path.join(root, `${name}.log`) });
  const holder = await keeper.holder();
  const environment = { PATH: process.env["PATH"], PORT: String(port) };
  const app = await holder.launch({
    target: "app-1", group: "app", file: nodeBinary(24), directory: root, logPath: path.join(root, "app.log"), passing: "line", env: environment,
    args: ["--conditions=@midflight/source", "--disable-warning=ExperimentalWarning", "--import", import.meta.resolve("@midflight/agent/hand-over"), path.join(import.meta.dirname, "app.mjs")],
  });
  while (app.listening.size === 0) await app.hear((word): word is typeof word => word.kind === "listening");
  app.say({ kind: "accept" });
  const inserted = await insertRouter({ holder, target: "app-1", root, logPath: path.join(root, "router.log"), environment, drainTimeoutMs: 5000 }, app, "bench");
  if (inserted.kind === "refused") throw new Error(inserted.reason);
  const stop = async (): Promise<void> => {
    await inserted.router.remove(app);
    process.kill(app.pid, "SIGKILL");
    await app.exited;
    await keeper.close();
  };
  return { way: { name: "midflight", url: new URL(`http://127.0.0.1:${port}`), pids: [app.pid, inserted.router.pid!], close: () => undefined }, stop };
}

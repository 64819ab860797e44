import { spawn } from "node:child_process";
import path from "node:path";
import { createRandom } from "@midflight/testkit";
import { nodeBinary } from "../../scripts/node-versions.mjs";
import { pin } from "../overhead/overhead.ts";
import { Connections } from "../overhead/request-blocks.ts";
import { median, round, shuffle } from "../statistics.ts";
import { freePort } from "../system/project.ts";
import { node, type Project, type Up } from "./project.ts";

export interface Cost {
  /** CPU per request, in microseconds. */
  readonly bareUs: number;
  readonly agentUs: number;
  /** The median of the launches. */
  readonly ratio: number;
  /** One bare process over another one, likewise: what the comparison is good for. */
  readonly noise: number;
  readonly launches: number;
}

const sides = ["bare", "bare again", "agent"] as const;
type Side = (typeof sides)[number];

/**
 * What a process that replaced another one costs per request, beside two that nobody replaces. Two processes of the same code differ
 * for life, by a tenth and more; so each launch is one finding.
 */
export async function measureCost(project: Project, up: Up, launches: number, warmUp: number, blocks: number): Promise<Cost> {
  const found: Record<Side, number>[] = [];
  const random = createRandom(1);
  for (let launch = 0; launch < launches; launch += 1) {
    await up.roll();
    const bare = [await startBare(project), await startBare(project)];
    const urls: Record<Side, URL> = { bare: bare[0]!.url, "bare again": bare[1]!.url, agent: project.url };
    const connections = new Map<Side, Connections>();
    try {
      for (const side of sides) {
        connections.set(side, await Connections.open(urls[side], 8));
        pin((await about(urls[side])).pid);
        await connections.get(side)!.send([{ path: "/" }], warmUp);
      }
      const us: Record<Side, number[]> = { bare: [], "bare again": [], agent: [] };
      for (let block = 0; block < blocks; block += 1) for (const side of shuffle(sides, random)) us[side].push(await costOf(urls[side], connections.get(side)!));
      found.push({ bare: median(us.bare), "bare again": median(us["bare again"]), agent: median(us.agent) });
    } finally {
      for (const open of connections.values()) open.close();
      for (const one of bare) one.end();
    }
  }
  const of = (side: Side): number => round(median(found.map((one) => one[side])), 1);
  return {
    bareUs: of("bare"), agentUs: of("agent"), launches,
    ratio: round(median(found.map((one) => (2 * one.agent) / (one.bare + one["bare again"]))), 4),
    noise: round(median(found.map((one) => one.bare / one["bare again"])), 4),
  };
}

const blockRequests = 300;

async function costOf(url: URL, connections: Connections): Promise<number> {
  const before = await readCpuUs(url);
  await connections.send([{ path: "/" }], blockRequests);
  return ((await readCpuUs(url)) - before) / blockRequests;
}

async function readCpuUs(url: URL): Promise<number> {
  return (await about(url)).cpuUs;
}

async function about(url: URL): Promise<{ readonly pid: number; readonly cpuUs: number }> {
  return (await (await fetch(new URL("/about", url))).json()) as { pid: number; cpuUs: number };
}

async function startBare({ directory }: Project): Promise<{ readonly url: URL; end(): void }> {
  const port = await freePort();
  const child = spawn(nodeBinary(node), ["dist/server.js"], { cwd: directory, env: { PORT: String(port), ITEMS: path.join(directory, "bare.log") }, stdio: "ignore" });
  return { url: new URL(`http://127.0.0.1:${port}`), end: () => void child.kill("SIGKILL") };
}

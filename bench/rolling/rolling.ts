import path from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import { ensureInstalled } from "../../scripts/setup/install.mjs";
import { bar, type Bench, type Findings } from "../bench.ts";
import { versionOf } from "../save-to-live/rivals.ts";
import { median, round } from "../statistics.ts";
import { startRollingClients, type Served } from "./clients.ts";
import { measureCost, type Cost } from "./cost.ts";
import { openProject, startUp, type Project } from "./project.ts";
import { startCluster, startReloaded, type Rival } from "./rivals.ts";

const ratePerSecond = 1000;
const restMs = 400;
/** The app's slow request. */
const longestMs = 400;
const processesAtOnce = 4;
const noiseLimit = 0.03;

interface Rolled extends Served {
  readonly replacements: number;
  /** From the wish until the new process serves. */
  readonly secondsEach: number;
}

export const rolling: Bench = {
  name: "rolling",
  summary: "a process replaced 20 times under 1,000 requests a second, beside PM2's reload and a cluster's rolling restart; CPU per request; a roll of 4",
  async run({ isQuick, say }): Promise<Findings> {
    const times = isQuick ? 2 : 20;
    await ensureInstalled(path.join(import.meta.dirname, "../rivals"), "the rivals");
    const { served, cost } = await measureOurs(times, isQuick, say);
    say(describe("midflight", served));
    say(`CPU per request: ${cost.agentUs} µs, bare ${cost.bareUs} µs, ratio ${cost.ratio}, noise ${cost.noise}`);
    const roll = await measureRoll(isQuick ? 1 : 3);
    say(`roll of ${processesAtOnce}: ${roll.beyondStartSeconds.toFixed(2)} s beyond ${roll.startSeconds.toFixed(2)} s of start-up; drains of up to ${roll.longestDrainMs.toFixed(0)} ms`);
    const pm2 = await measureRival(startReloaded, times);
    say(describe("pm2 reload", pm2));
    const cluster = await measureRival(startCluster, times);
    say(describe("cluster", cluster));
    return {
      figures: { ratePerSecond, ...served, cpu: cost, roll },
      rivals: { "pm2 reload": { version: versionOf("pm2"), ...pm2 }, "node:cluster": { version: process.versions.node, ...cluster } },
      ratios: { "CPU per request over a bare process": cost.ratio },
      bars: [
        bar("requests that failed", served.failed + roll.failed, "==", 0),
        bar("ids written down twice", served.doubled + roll.doubled, "==", 0),
        bar("ids promised and not written down", served.missing + roll.missing, "==", 0),
        bar("kept connections that clients had to open again", served.reconnects + roll.reconnects, "==", 0),
        bar("uploads that failed", served.failedUploads, "==", 0),
        bar("streams that were cut", served.cutStreams, "==", 0),
        bar("WebSockets that were cut", served.cutSockets, "==", 0),
        bar("streams that were told to come again", served.endedStreams - served.cutStreams, ">=", times),
        bar("WebSockets that were told to come again", served.endedSockets - served.cutSockets, ">=", times),
        bar("CPU per request over a bare process", cost.ratio, "<=", 1.02),
        bar("longest drain of HTTP beyond the longest request, ms", roll.longestDrainMs - longestMs, "<=", 100),
        bar(`longest roll of ${processesAtOnce} processes beyond their start-up, s`, roll.beyondStartSeconds, "<=", 3),
      ],
      voidBecause: served.voidBecause ?? roll.voidBecause ?? (Math.abs(cost.noise - 1) <= noiseLimit ? null : `two processes that nobody replaces differ by ${cost.noise} in CPU per request`),
    };
  },
};

function describe(name: string, { failed, requests, replacements, reconnects, keptConnections, doubled, missing, cutStreams, endedStreams, cutSockets, endedSockets }: Rolled): string {
  return `${name}: ${failed} of ${requests} requests failed in ${replacements} replacements, ${reconnects} of ${keptConnections} kept connections opened again, ${doubled} ids doubled, ${missing} missing, ${cutStreams} of ${endedStreams} streams cut, ${cutSockets} of ${endedSockets} WebSockets cut`;
}

async function measureOurs(times: number, isQuick: boolean, say: (line: string) => void): Promise<{ readonly served: Rolled & { readonly handedOver: number }; readonly cost: Cost }> {
  const project = await openProject(1);
  try {
    const up = await startUp(project, 1);
    try {
      const served = await measure(project, times, () => up.roll());
      const handedOver = up.events.reduce((sum, one) => sum + (one.event === "process-drained" ? one.handedOver : 0), 0);
      say(`${handedOver} times a connection was handed over`);
      return { served: { ...served, handedOver }, cost: await (isQuick ? measureCost(project, up, 1, 1000, 4) : measureCost(project, up, 9, 8000, 16)) };
    } finally {
      await up.stop();
    }
  } finally {
    project.remove();
  }
}

async function measureRival(start: (project: Project) => Promise<Rival>, times: number): Promise<Rolled> {
  const project = await openProject(1);
  try {
    const rival = await start(project);
    try {
      return await measure(project, times, () => rival.roll());
    } finally {
      await rival.close();
    }
  } finally {
    project.remove();
  }
}

async function measure(project: Project, times: number, roll: () => Promise<void>): Promise<Rolled> {
  const clients = startRollingClients(project, ratePerSecond);
  const seconds: number[] = [];
  let served: Served;
  try {
    for (let turn = 0; turn < times; turn += 1) {
      await delay(restMs);
      const startedAt = performance.now();
      await roll();
      seconds.push((performance.now() - startedAt) / 1000);
    }
    await delay(restMs);
  } finally {
    served = await clients.stop();
  }
  return { replacements: times, ...served, secondsEach: round(median(seconds), 2) };
}

interface RollFigures extends Served {
  readonly rolls: number;
  readonly processes: number;
  /** Of the longest roll, from the first process's replacement until the last one before has ended, without starting the next ones. */
  readonly beyondStartSeconds: number;
  /** What the next ones took in that roll, one after the other, until they were ready. */
  readonly startSeconds: number;
  /** From the word to drain until the process has ended. */
  readonly longestDrainMs: number;
  readonly medianDrainMs: number;
}

/** Four processes on one socket, asked over HTTP alone: event streams and WebSockets are ended over half a second by design. */
async function measureRoll(rolls: number): Promise<RollFigures> {
  const project = await openProject(processesAtOnce);
  try {
    const up = await startUp(project, processesAtOnce);
    try {
      const clients = startRollingClients(project, ratePerSecond / 2, true);
      const found: { readonly beyond: number; readonly start: number }[] = [];
      let served: Served;
      try {
        for (let turn = 0; turn < rolls; turn += 1) {
          await delay(restMs);
          const from = up.events.length;
          await up.roll();
          const events = up.events.slice(from);
          const start = events.reduce((sum, { event, tookSeconds }) => sum + (event === "process-ready" ? tookSeconds : 0), 0);
          found.push({ start, beyond: (events.at(-1)!.atMs - events.find(({ event }) => event === "process-replacing")!.atMs) / 1000 - start });
        }
      } finally {
        served = await clients.stop();
      }
      const drainsMs = up.events.filter(({ event }) => event === "process-drained").map(({ tookSeconds }) => tookSeconds * 1000);
      const worst = found.reduce((a, b) => (b.beyond > a.beyond ? b : a));
      return { rolls, processes: processesAtOnce, beyondStartSeconds: round(worst.beyond), startSeconds: round(worst.start), longestDrainMs: round(Math.max(...drainsMs), 1), medianDrainMs: round(median(drainsMs), 1), ...served };
    } finally {
      await up.stop();
    }
  } finally {
    project.remove();
  }
}

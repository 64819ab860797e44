import path from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import { ensureInstalled } from "../../scripts/setup/install.mjs";
import { openReplacedShop, type ReplacedShop } from "../../e2e/replace/replaced-shop.ts";
import { type ClientsReport, startClients } from "../../e2e/replace/shop-clients.ts";
import { bar, type Bench, type Findings } from "../bench.ts";
import { startPm2, versionOf } from "../save-to-live/rivals.ts";
import { median, round } from "../statistics.ts";

const node = 24;
const ratePerSecond = 100;
const restMs = 500;
const patienceMs = 60_000;

interface Measured {
  readonly requests: number;
  readonly failed: number;
  readonly failedUploads: number;
  /** Event streams that were cut, not ended with a time to come again. */
  readonly cutStreams: number;
  readonly p999Ms: number;
  /** From the wish until the new process serves alone. */
  readonly secondsEach: number;
  readonly voidBecause: string | null;
}

export const replace: Bench = {
  name: "replace",
  summary: "requests that fail while the shop's process is replaced 20 times under load, beside PM2's reload",
  async run({ isQuick, say }): Promise<Findings> {
    const times = isQuick ? 2 : 20;
    await ensureInstalled(path.join(import.meta.dirname, "../rivals"), "the rivals");
    const shop = await openReplacedShop([node]);
    try {
      const ours = await measureOurs(shop, times);
      say(`midflight: ${ours.failed} of ${ours.requests} requests failed in ${times} replacements`);
      const pm2 = await measurePm2(shop, times);
      say(`pm2 reload: ${pm2.failed} of ${pm2.requests} requests failed in ${times} replacements`);
      return {
        figures: { replacements: times, ...ours },
        rivals: { "pm2 reload": { version: versionOf("pm2"), replacements: times, ...pm2 } },
        ratios: {},
        bars: [bar("requests that failed", ours.failed, "==", 0), bar("uploads that failed", ours.failedUploads, "==", 0), bar("streams that were cut", ours.cutStreams, "==", 0)],
        voidBecause: ours.voidBecause,
      };
    } finally {
      shop.remove();
    }
  },
};

async function measureOurs(shop: ReplacedShop, times: number): Promise<Measured> {
  const up = await shop.up();
  try {
    return await measure(urlOf(shop), times, async (turn) => {
      shop.change(`globalThis.edition = ${turn};`);
      const { code, text } = await shop.run("deploy", "--max-rung", "replace");
      if (code !== 0) throw new Error(text);
    });
  } finally {
    await up.stop({ withinMs: 30_000 });
  }
}

/** The app as it is: one instance in cluster mode, reloaded. */
async function measurePm2(shop: ReplacedShop, times: number): Promise<Measured> {
  const url = urlOf(shop);
  const running = await startPm2({ projectDir: shop.directory }, Number(url.port));
  try {
    await untilOther(url, null);
    return await measure(url, times, async () => {
      const before = await pidOf(url);
      running.afterBuild();
      await untilOther(url, before);
    });
  } finally {
    await running.close();
  }
}

async function measure(url: URL, times: number, replaceOnce: (turn: number) => Promise<void>): Promise<Measured> {
  const clients = startClients(url, ratePerSecond);
  const seconds: number[] = [];
  let report: ClientsReport;
  try {
    for (let turn = 1; turn <= times; turn += 1) {
      await delay(restMs);
      const startedAt = performance.now();
      await replaceOnce(turn);
      seconds.push((performance.now() - startedAt) / 1000);
    }
    await delay(restMs);
  } finally {
    report = await clients.stop();
  }
  const { load, faults } = report;
  return {
    requests: load.sent, failed: load.failed,
    failedUploads: faults.filter((fault) => fault.startsWith("upload")).length, cutStreams: faults.filter((fault) => fault.startsWith("stream")).length,
    p999Ms: round(load.latencyMs.p999), secondsEach: round(median(seconds), 1), voidBecause: load.voidBecause,
  };
}

function urlOf(shop: ReplacedShop): URL {
  return shop.urls.get(`node${node}`)!;
}

async function pidOf(url: URL): Promise<number | null> {
  try {
    return ((await (await fetch(new URL("/api/about", url), { headers: { connection: "close" } })).json()) as { pid: number }).pid;
  } catch {
    return null;
  }
}

async function untilOther(url: URL, before: number | null): Promise<void> {
  for (const deadline = performance.now() + patienceMs; performance.now() < deadline; await delay(100)) {
    const now = await pidOf(url);
    if (now !== null && now !== before) return;
  }
  throw new Error(`no other process than ${before} came`);
}

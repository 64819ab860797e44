import { globSync, readFileSync } from "node:fs";
import path from "node:path";
import { fileURLToPath } from "node:url";
import type { RequestPolicy } from "@midflight/protocol";
import { startSystem, type System } from "@midflight/testkit";
import { nodeBinary } from "../../scripts/node-versions.mjs";
import { openCustomers, type Customers, type Order, type Protocol } from "./customers.ts";
import { Timeline } from "./timeline.ts";

export interface FrameworkRun {
  /** The app's entry in `fixtures/`. */
  readonly entry: string;
  readonly protocol: Protocol;
  /** A major version of Node. */
  readonly node: number;
  readonly swaps: number;
  readonly env?: Readonly<Record<string, string>>;
  /** What assigns say of requests under way. */
  readonly requests?: Partial<RequestPolicy>;
}

export interface FrameworkResult {
  readonly answered: number;
  /** Requests that failed, as sentences. */
  readonly failed: readonly string[];
  /** Answers that more than one version had a part in. */
  readonly mixed: readonly string[];
  /** Answers of a version that was not live while they were made. */
  readonly untimely: readonly string[];
  readonly app: Awaited<ReturnType<Customers["totals"]>>;
  readonly isSameProcess: boolean;
  readonly stderr: readonly string[];
}

const appDir = fileURLToPath(new URL("fixtures/", import.meta.url));
const versions = ["A", "B", "C"];
const workers = 24;

/** An app with a version in every module. */
function filesOf(entry: string, version: string): Readonly<Record<string, string>> {
  const sources = globSync([entry, "parts/*.mjs", ...(entry.startsWith("express") ? ["express-routes.cjs"] : [])], { cwd: appDir });
  return Object.fromEntries(sources.map((file) => [`src/${file}`, readFileSync(path.join(appDir, file), "utf8").replaceAll("@V@", version)]));
}

/** Runs one app in a process of its own under a closed-loop load, and swaps all of its modules again and again. */
export async function runFramework({ entry, protocol, node, swaps, env = {}, requests = {} }: FrameworkRun): Promise<FrameworkResult> {
  const system = await startSystem({
    app: "frameworks", code: ["src"], run: `node src/${entry}`, ready: /^(?:port )?(\d+|http:\/\/\S+)$/,
    requests, files: { "package.json": '{"type":"module"}', ...filesOf(entry, "A") },
  });
  try {
    await system.publish();
    const app = await system.start({ node: nodeBinary(node), env, probationMs: 0 });
    await system.beat("it follows", (beat) => beat.pid === app.pid && beat.state === "following");
    const customers = await openCustomers(protocol, app.url);
    const timeline = new Timeline("A");
    const load = startLoad(customers, timeline);
    await swapUnderLoad(system, entry, timeline, swaps, load);
    const result = await load.stop();
    const totals = await settled(customers, result.answered);
    await customers.close();
    const beat = await system.beat("it lives", ({ pid }) => pid === app.pid);
    const { lines } = app.stderr;
    await app.kill();
    return { ...result, app: totals, isSameProcess: beat.pid === app.pid && beat.generation === swaps, stderr: lines };
  } finally {
    await system.close();
  }
}

interface Load {
  /** Settles when so many more have been answered. */
  more(count: number): Promise<void>;
  stop(): Promise<Pick<FrameworkResult, "answered" | "failed" | "mixed" | "untimely">>;
}

async function swapUnderLoad(system: System, entry: string, timeline: Timeline, swaps: number, load: Load): Promise<void> {
  for (let swap = 1; swap <= swaps; swap++) {
    await load.more(workers);
    const version = versions[swap % versions.length]!;
    system.write(filesOf(entry, version));
    timeline.publish(version);
    await system.swapped(await system.publish());
    timeline.confirm();
  }
  await load.more(workers * 2);
}

function startLoad(customers: Customers, timeline: Timeline): Load {
  const failed: string[] = [];
  const mixed: string[] = [];
  const untimely: string[] = [];
  let answered = 0;
  const stopped = new AbortController();
  let wake: (() => void)[] = [];
  const orders = ["work", "page", "body"] as const;

  async function work(worker: number): Promise<void> {
    for (let i = 0; !stopped.signal.aborted && failed.length < 5; i++) {
      const order: Order = { kind: orders[(worker + i) % orders.length]!, ms: 20 + ((worker * 37 + i * 53) % 140) };
      const from = timeline.confirmed;
      try {
        judge(order, await customers.send(order), from);
      } catch (error) {
        failed.push(`${order.kind}: ${String(error)}`);
      }
      for (const look of wake) look();
    }
  }

  function judge({ kind }: Order, text: string, from: number): void {
    answered += 1;
    const [version = ""] = text;
    if (text === "" || text !== version.repeat(text.length)) return void mixed.push(`${kind}: ${text}`);
    if (!timeline.between(from).includes(version)) untimely.push(`${kind} answered ${version} while ${timeline.between(from).join(" or ")} was live`);
  }

  const running = Promise.all(Array.from({ length: workers }, (_, worker) => work(worker)));
  return {
    more(count) {
      const target = answered + count;
      return new Promise((resolve) => {
        const look = (): void => {
          if (answered < target && failed.length === 0) return;
          wake = wake.filter((other) => other !== look);
          resolve();
        };
        wake.push(look);
      });
    },
    async stop() {
      stopped.abort();
      await running;
      return { answered, failed, mixed, untimely };
    },
  };
}

/** An app counts a request when its answer has ended, which its customer may know a moment earlier. */
async function settled(customers: Customers, answered: number): ReturnType<Customers["totals"]> {
  for (let look = 0; ; look++) {
    const totals = await customers.totals();
    if (totals.served >= answered || look === 200) return totals;
    await new Promise((resolve) => setTimeout(resolve, 10));
  }
}

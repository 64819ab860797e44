import { spawn } from "node:child_process";
import { once } from "node:events";
import path from "node:path";
import { createInterface } from "node:readline";
import { setTimeout as delay } from "node:timers/promises";
import { nodeBinary } from "../../scripts/node-versions.mjs";
import { startPm2 } from "../save-to-live/rivals.ts";
import { node, type Project } from "./project.ts";

/** The app under something else that rolls it. */
export interface Rival {
  /** Resolves when another process serves; what was promised to the one before may go on. */
  roll(): Promise<void>;
  close(): Promise<void>;
}

const patienceMs = 60_000;

/** One instance in cluster mode, reloaded. */
export async function startReloaded({ directory, url }: Project): Promise<Rival> {
  const running = await startPm2({ projectDir: directory }, Number(url.port));
  await untilOther(url, null);
  return {
    async roll() {
      const before = await pidOf(url);
      running.afterBuild();
      await untilOther(url, before);
    },
    close: () => running.close(),
  };
}

/** One worker of `node:cluster`, rolled. */
export async function startCluster({ directory, url }: Project): Promise<Rival> {
  const primary = spawn(nodeBinary(node), [path.join(import.meta.dirname, "cluster-primary.mjs"), path.join(directory, "dist/server.js")], {
    cwd: directory, env: { ...process.env, NODE_OPTIONS: "", PORT: url.port }, stdio: ["pipe", "pipe", "inherit"],
  });
  const lines = createInterface({ input: primary.stdout })[Symbol.asyncIterator]();
  const expect = async (wanted: string): Promise<void> => {
    const { value } = await lines.next();
    if (value !== wanted) throw new Error(`the cluster's primary said ${String(value)}, not ${wanted}`);
  };
  await expect("started");
  return {
    async roll() {
      primary.stdin.write("roll\n");
      await expect("rolled");
    },
    async close() {
      const ended = once(primary, "exit");
      primary.stdin.end("end\n");
      await ended;
    },
  };
}

async function pidOf(url: URL): Promise<number | null> {
  try {
    return ((await (await fetch(new URL("/about", url), { headers: { connection: "close" } })).json()) as { pid: number }).pid;
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

import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { readFileSync, mkdirSync } from "node:fs";
import { createInterface } from "node:readline";
import path from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import { ensureInstalled } from "../../scripts/setup/install.mjs";
import { startProcess } from "@midflight/testkit";
import { median, round, spreadOf, type Spread } from "../statistics.ts";
import { freePort } from "../system/project.ts";
import type { ModulesApp } from "./modules-app.ts";
import { Prober } from "./prober.ts";
import { cases, type Case } from "./cases.ts";

export interface RivalFindings {
  readonly name: string;
  readonly version: string;
  readonly one: RivalCase;
  readonly all: RivalCase;
}

export interface RivalCase {
  readonly ms: Spread;
  /** Median of the longest time in which no request was answered. */
  readonly silentMs: number;
  /** Rounds whose code was not served even seconds later: started in the middle of a build, and not again at its end. */
  readonly neverLive: number;
  /** Rounds in which a request failed. */
  readonly roundsWithFailures: number;
}

interface RunningRival {
  /** What a person or a pipeline does when the build has finished; nothing for those that watch. */
  afterBuild(): void;
  close(): Promise<void>;
}

interface Rival {
  readonly name: string;
  readonly version: string;
  start(app: ModulesApp, port: number): Promise<RunningRival>;
}

const folder = path.join(import.meta.dirname, "../rivals");
/** A restart that followed the first files of a build is over by then, and so are pauses against restarting too often. */
const restMs = 1200;
const patienceMs = 8000;
/** A connection that a process took with it when it ended costs a user his time-out; here it shall not hide when the new code was there. */
const giveUpMs = 250;

/** The same app and the same edits under tools that restart; each sees the files where they are written. */
export async function measureRivals(app: ModulesApp, rounds: Readonly<Record<Case["name"], number>>, say: (line: string) => void): Promise<readonly RivalFindings[]> {
  await ensureInstalled(folder, "the rivals");
  const found: RivalFindings[] = [];
  for (const rival of rivals()) {
    const port = await freePort();
    app.build(app.modules, "r0");
    const running = await rival.start(app, port);
    const prober = new Prober(port, giveUpMs);
    try {
      await prober.waitFor("/all", "r0");
      const measured = { name: rival.name, version: rival.version, one: await measureCase("one"), all: await measureCase("all") };
      found.push(measured);
      say(`${rival.name}: 1 module p50 ${round(measured.one.ms.p50, 1)} ms, ${app.modules} modules p50 ${round(measured.all.ms.p50, 1)} ms`);
    } finally {
      await prober.close();
      await running.close();
    }

    async function measureCase(name: Case["name"]): Promise<RivalCase> {
      const { count, question } = cases.find((one) => one.name === name)!;
      const results: { ms: number; silentMs: number; failed: number }[] = [];
      for (let i = 0; i < rounds[name]; i += 1) {
        await delay(restMs);
        const revision = `${name}${i}`;
        const wroteMs = app.build(count, revision);
        app.finish();
        running.afterBuild();
        const result = await prober.waitFor(question, revision, patienceMs).catch(() => null);
        if (result !== null) results.push({ ms: result.atMs - wroteMs, silentMs: result.silentMs, failed: result.failed });
      }
      return {
        ms: spreadOf(results.map((one) => one.ms)),
        silentMs: round(median(results.map((one) => one.silentMs))),
        neverLive: rounds[name] - results.length,
        roundsWithFailures: results.filter((one) => one.failed > 0).length,
      };
    }
  }
  return found;
}

function rivals(): readonly Rival[] {
  const bin = (name: string, file: string): string => path.join(folder, "node_modules", name, file);
  const entry = "dist/server.js";
  return [
    { name: "node --watch", version: process.versions.node, start: (app, port) => watching(app, port, ["--watch", entry]) },
    { name: "tsx watch", version: versionOf("tsx"), start: (app, port) => watching(app, port, [bin("tsx", "dist/cli.mjs"), "watch", "--clear-screen=false", entry]) },
    { name: "nodemon", version: versionOf("nodemon"), start: (app, port) => watching(app, port, [bin("nodemon", "bin/nodemon.js"), "--no-stdin", "--watch", "dist", "--exec", process.execPath, entry]) },
    { name: "pm2 reload", version: versionOf("pm2"), start: startPm2 },
  ];
}

async function watching(app: ModulesApp, port: number, args: readonly string[]): Promise<RunningRival> {
  const started = await startProcess({ command: process.execPath, args, cwd: app.projectDir, env: { PORT: String(port), NODE_OPTIONS: undefined } });
  return { afterBuild: () => {}, close: async () => void (await started.killGroup()) };
}

export async function startPm2(app: Pick<ModulesApp, "projectDir">, port: number): Promise<RunningRival> {
  const home = path.join(app.projectDir, ".pm2");
  mkdirSync(home, { recursive: true });
  const driver = spawn(process.execPath, [path.join(import.meta.dirname, "pm2-driver.mjs")], {
    cwd: app.projectDir,
    env: { ...process.env, NODE_OPTIONS: "", PM2_HOME: home, PM2_MODULE: path.join(folder, "node_modules/pm2"), APP_NODE: process.execPath, PORT: String(port), PATH: `${path.dirname(process.execPath)}:${process.env["PATH"]}` },
    stdio: ["pipe", "pipe", "inherit"],
  });
  await lineOf(driver, "started");
  return {
    afterBuild: () => void driver.stdin?.write("reload\n"),
    async close() {
      const daemon = Number(readFileSync(path.join(home, "pm2.pid"), "utf8"));
      const ended = once(driver, "exit");
      driver.stdin?.end("end\n");
      await ended;
      // It is no child of ours; it was told to end, and ends if it did not.
      try {
        process.kill(daemon, "SIGKILL");
      } catch {
        return;
      }
    },
  };
}

async function lineOf(child: ChildProcess, wanted: string): Promise<void> {
  for await (const line of createInterface({ input: child.stdout! })) if (line === wanted) return void child.stdout!.resume();
  throw new Error(`pm2 did not say ${wanted}`);
}

export function versionOf(name: string): string {
  return (JSON.parse(readFileSync(path.join(folder, "node_modules", name, "package.json"), "utf8")) as { version: string }).version;
}

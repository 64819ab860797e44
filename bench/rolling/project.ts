import { EventEmitter, once } from "node:events";
import { copyFileSync, existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { repositoryRoot, startProcess } from "@midflight/testkit";
import { nodeBinary } from "../../scripts/node-versions.mjs";
import { freePort } from "../system/project.ts";

export const node = 24;
const cli = path.join(repositoryRoot, "packages/midflight/dist/main.js");

/** What `midflight up` tells of a process, and when, by the bench's clock in ms. */
export interface ProcessEvent {
  readonly event: "process-ready" | "process-replacing" | "process-drained";
  readonly target: string;
  readonly pid: number;
  readonly tookSeconds: number;
  readonly handedOver: number;
  readonly left: number;
  readonly atMs: number;
}

/** The app in a directory of its own, as somebody has it who uses midflight, and PM2 and cluster, too. */
export interface Project {
  readonly directory: string;
  readonly url: URL;
  /** The ids that were written down so far, as often as each was. */
  items(): readonly string[];
  forgetItems(): void;
  remove(): void;
}

/** The app under the real command line. */
export interface Up {
  readonly events: readonly ProcessEvent[];
  /** A deploy that needs new processes. Resolves when it is live, and those before have ended. */
  roll(): Promise<void>;
  stop(): Promise<void>;
}

export async function openProject(processes: number): Promise<Project> {
  const directory = mkdtempSync(path.join(tmpdir(), "midflight-rolling-"));
  const port = await freePort();
  const installed = path.join(repositoryRoot, "node_modules/ws");
  const { version } = JSON.parse(readFileSync(path.join(installed, "package.json"), "utf8")) as { version: string };
  mkdirSync(path.join(directory, "dist"));
  mkdirSync(path.join(directory, "node_modules"));
  symlinkSync(installed, path.join(directory, "node_modules/ws"));
  writeFileSync(path.join(directory, "node_modules/.package-lock.json"), JSON.stringify({ lockfileVersion: 3, packages: { "node_modules/ws": { version } } }));
  writeFileSync(path.join(directory, "package.json"), JSON.stringify({ name: "rolled", type: "module", dependencies: { ws: version } }));
  const server = path.join(directory, "dist/server.js");
  copyFileSync(path.join(import.meta.dirname, "server.mjs"), server);
  const items = path.join(directory, "items.log");
  const service = { run: `${nodeBinary(node)} dist/server.js`, code: "dist", processes, listen: [`127.0.0.1:${port}`], health: "/about", env: { ITEMS: items } };
  writeFileSync(path.join(directory, "midflight.config.mjs"), `export default ${JSON.stringify({ app: "rolled", services: { web: service } })};\n`);
  return {
    directory,
    url: new URL(`http://127.0.0.1:${port}`),
    items: () => (existsSync(items) ? readFileSync(items, "utf8").split("\n").filter((line) => line !== "") : []),
    forgetItems: () => rmSync(items, { force: true }),
    remove: () => rmSync(directory, { recursive: true, force: true }),
  };
}

export async function startUp({ directory }: Project, processes: number): Promise<Up> {
  const start = (...args: string[]): ReturnType<typeof startProcess> => startProcess({ command: process.execPath, args: [cli, ...args, "--json"], cwd: directory, env: { NO_COLOR: "1", CI: undefined, NODE_OPTIONS: undefined } });
  const server = path.join(directory, "dist/server.js");
  const original = readFileSync(server, "utf8");
  const up = await start("up");
  const events: ProcessEvent[] = [];
  const told = new EventEmitter();
  up.stdout.watch((line) => {
    const event = JSON.parse(line) as ProcessEvent;
    if (!["process-ready", "process-replacing", "process-drained"].includes(event.event)) return;
    events.push({ ...event, atMs: performance.now() });
    told.emit("event");
  });
  try {
    const [line] = await up.waitForLine(/^.*"event":"started".*$/, { timeoutMs: 60_000 });
    if ((JSON.parse(line) as { ready: number }).ready !== processes) throw new Error(up.stdout.lines.join("\n"));
  } catch (error) {
    await up.killGroup();
    throw error;
  }
  let turn = 0;
  return {
    events,
    async roll() {
      turn += 1;
      writeFileSync(server, `${original}\nglobalThis.edition = ${turn};\n`);
      const deploy = await start("deploy", "--max-rung", "replace");
      const { code } = await deploy.exited;
      if (code !== 0) throw new Error([...deploy.stdout.lines, ...deploy.stderr.lines].join("\n"));
      await untilDrained(turn * processes);
    },
    stop: async () => void (await up.stop({ withinMs: 30_000 })),
  };

  async function untilDrained(count: number): Promise<void> {
    const signal = AbortSignal.timeout(60_000);
    while (events.filter(({ event }) => event === "process-drained").length < count) await once(told, "event", { signal });
  }
}

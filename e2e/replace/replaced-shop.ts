import { execFile } from "node:child_process";
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, renameSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { cp } from "node:fs/promises";
import { createRequire } from "node:module";
import { tmpdir } from "node:os";
import path from "node:path";
import { promisify } from "node:util";
import { freePort, repositoryRoot, type StartedProcess, startProcess } from "@midflight/testkit";
import { nodeBinary } from "../../scripts/node-versions.mjs";

const shopDir = path.join(repositoryRoot, "examples/shop");
const cli = path.join(repositoryRoot, "packages/midflight/dist/main.js");

export interface Answered {
  readonly code: number | null;
  readonly json: Record<string, unknown>;
  readonly text: string;
}

/** The shop, compiled, as one service for each version of Node, under the real command line. */
export interface ReplacedShop {
  readonly directory: string;
  /** By service, `node20` and so on. */
  readonly urls: ReadonlyMap<string, URL>;
  up(): Promise<StartedProcess>;
  run(...args: readonly string[]): Promise<Answered>;
  /** Starts a deploy that needs new processes; the caller waits for it. */
  startDeploy(): Promise<StartedProcess>;
  /** Puts a statement at the top level of the server, which only a new process can run. */
  change(statement: string): void;
  /** Puts another version of Fastify in place of what is installed, by the name that this repository has it under. */
  installFastify(name: "fastify" | "fastify-before"): void;
  /** What runs as each target, by the table that is kept for a crash. */
  records(): readonly { readonly target: string; readonly identity: { readonly pid: number } | null; readonly number: number | null; readonly phase: string }[];
  remove(): void;
}

export async function openReplacedShop(majors: readonly number[], readyTimeoutMs = 30_000): Promise<ReplacedShop> {
  const directory = mkdtempSync(path.join(tmpdir(), "midflight-replace-"));
  for (const name of ["src", "package.json", "tsconfig.json", "tsconfig.build.json"]) await cp(path.join(shopDir, name), path.join(directory, name), { recursive: true });
  install(directory, "fastify");
  const tsc = path.join(createRequire(import.meta.url).resolve("typescript/package.json"), "../bin/tsc");
  await promisify(execFile)(process.execPath, [tsc, "-p", "tsconfig.build.json"], { cwd: directory });
  const urls = new Map<string, URL>();
  const services: Record<string, unknown> = {};
  for (const major of majors) {
    const port = await freePort();
    urls.set(`node${major}`, new URL(`http://127.0.0.1:${port}`));
    services[`node${major}`] = { run: `${nodeBinary(major)} dist/server.js`, code: "dist", health: "/readyz", env: { PORT: String(port) }, readyTimeoutMs };
  }
  writeFileSync(path.join(directory, "midflight.config.mjs"), `export default ${JSON.stringify({ app: "shop", services })};\n`);
  const server = path.join(directory, "dist/server.js");
  const original = readFileSync(server, "utf8");

  const start = (...args: readonly string[]): Promise<StartedProcess> =>
    startProcess({ command: process.execPath, args: [cli, ...args], cwd: directory, env: { NO_COLOR: "1", CI: undefined, LC_ALL: "C.UTF-8" } });
  const records: ReplacedShop["records"] = () => {
    try {
      return JSON.parse(readFileSync(path.join(directory, ".midflight/state/processes.json"), "utf8")) as never;
    } catch {
      return [];
    }
  };
  return {
    directory, urls, records,
    up: async () => {
      const up = await start("up");
      await up.waitForLine(/\d+ of \d+ process(es)? ready/, { timeoutMs: 60_000 });
      return up;
    },
    run: async (...args) => {
      const ran = await start(...args, "--json");
      const { code } = await ran.exited;
      const text = ran.stdout.lines.join("\n");
      return { code, text, json: JSON.parse(text) as Record<string, unknown> };
    },
    startDeploy: () => start("deploy", "--max-rung", "replace", "--json"),
    change: (statement) => writeFileSync(server, `${original}\n${statement}\n`),
    installFastify: (name) => install(directory, name),
    remove: () => {
      for (const { identity } of records()) {
        try {
          if (identity !== null) process.kill(-identity.pid, "SIGKILL");
        } catch {
          // It is gone, as it should be.
        }
      }
      rmSync(directory, { recursive: true, force: true });
    },
  };
}

/** A `node_modules` of the project's own, as npm would leave it, with what this repository has installed. */
function install(directory: string, fastify: string): void {
  const [from, to] = [path.join(repositoryRoot, "node_modules"), path.join(directory, "node_modules")];
  const aside = `${to}.next`;
  mkdirSync(aside);
  for (const name of readdirSync(from)) if (name !== ".package-lock.json") symlinkSync(path.join(from, name === "fastify" ? fastify : name), path.join(aside, name));
  const { version } = JSON.parse(readFileSync(path.join(from, fastify, "package.json"), "utf8")) as { version: string };
  writeFileSync(path.join(aside, ".package-lock.json"), JSON.stringify({ lockfileVersion: 3, packages: { "node_modules/fastify": { version } } }));
  rmSync(to, { recursive: true, force: true });
  renameSync(aside, to);
}

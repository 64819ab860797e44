import { mkdtempSync, rmSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import os from "node:os";
import path from "node:path";
import { fileURLToPath } from "node:url";
import { setTimeout as delay } from "node:timers/promises";
import { startProcess, type StartedProcess } from "@midflight/testkit";

const main = fileURLToPath(new URL("../../src/main.ts", import.meta.url));

/** Small, and still an application: two units, state in a class, a readiness path. */
const files: Readonly<Record<string, string>> = {
  "package.json": '{ "name": "demo", "type": "module", "scripts": { "start": "node src/server.js" } }\n',
  "src/server.js": `import http from "node:http";
import { greet } from "./greeting.js";
import { Counter } from "./counter.js";

const counter = new Counter();
const server = http.createServer((request, response) => {
  if (request.url === "/readyz") return response.end("ready");
  counter.add();
  response.end(JSON.stringify({ says: greet(), total: counter.total, pid: process.pid }));
});
server.listen(Number(process.env.PORT ?? 0), "127.0.0.1", () => console.log(\`listening on http://127.0.0.1:\${server.address().port}\`));
process.on("SIGTERM", () => { server.close(() => process.exit(0)); server.closeAllConnections(); });
`,
  "src/greeting.js": 'export function greet() {\n  return "hello";\n}\n',
  "src/counter.js": "export class Counter {\n  total = 0;\n  add() {\n    this.total += 1;\n  }\n}\n",
  "midflight.config.mjs": `export default {
  app: "demo",
  services: { web: { run: "node src/server.js", code: "src", health: "/readyz", env: { PORT: "0" } } },
};
`,
};

export interface Ran {
  readonly code: number | null;
  readonly stdout: string;
  readonly stderr: string;
  /** What stdout says, if it is JSON. */
  readonly json: Record<string, unknown>;
}

export interface Project {
  readonly directory: string;
  read(file: string): string;
  write(file: string, text: string): void;
  edit(file: string, find: string, replace: string): void;
  /** Starts a command; the caller waits for it. */
  start(...args: readonly string[]): Promise<StartedProcess>;
  /** Runs a command to its end. */
  run(...args: readonly string[]): Promise<Ran>;
  /** Starts `midflight up` and waits until its processes are ready. */
  up(...args: readonly string[]): Promise<Up>;
  /** Ends what control may have left behind, and removes the directory. */
  remove(): void;
}

export interface Up {
  readonly process: StartedProcess;
  /** Where the app's first process listens now. */
  url(): string;
  /** Asks the app. */
  ask(): Promise<{ says: string; total: number; pid: number }>;
}

/** False for a process that is dead and only waits to be reaped. */
export function isAlive(pid: number): boolean {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, "latin1");
    return !/^[ZX]/.test(stat.slice(stat.lastIndexOf(")") + 2));
  } catch {
    return false;
  }
}

export interface ProjectOptions {
  readonly files?: Readonly<Record<string, string | null>>;
  readonly env?: Readonly<Record<string, string | undefined>>;
  /** For the Node that runs each command, such as `--import` of a module. */
  readonly nodeArgs?: readonly string[];
}

export function makeProject(options: ProjectOptions = {}): Project {
  const directory = mkdtempSync(path.join(os.tmpdir(), "midflight-cli-"));
  const at = (file: string): string => path.join(directory, file);
  const write = (file: string, text: string): void => {
    mkdirSync(path.dirname(at(file)), { recursive: true });
    writeFileSync(at(file), text);
  };
  for (const [file, text] of Object.entries({ ...files, ...options.files })) if (text !== null) write(file, text);
  const env = { NO_COLOR: undefined, FORCE_COLOR: undefined, CI: undefined, LC_ALL: "C.UTF-8", MIDFLIGHT_PROBATION_MS: "200", ...options.env };
  const start = (...args: readonly string[]): Promise<StartedProcess> =>
    startProcess({ command: process.execPath, args: ["--conditions=@midflight/source", "--disable-warning=ExperimentalWarning", ...(options.nodeArgs ?? []), main, ...args], cwd: directory, env });
  const run = async (...args: readonly string[]): Promise<Ran> => {
    const started = await start(...args);
    const { code } = await started.exited;
    const stdout = started.stdout.lines.join("\n");
    return {
      code, stdout, stderr: started.stderr.lines.join("\n"),
      get json() {
        return JSON.parse(stdout) as Record<string, unknown>;
      },
    };
  };
  const records = (): { identity: { pid: number } | null; url: string | null }[] => {
    try {
      return JSON.parse(readFileSync(at(".midflight/state/processes.json"), "utf8")) as never;
    } catch {
      return [];
    }
  };
  return {
    directory,
    read: (file) => readFileSync(at(file), "utf8"),
    write,
    edit: (file, find, replace) => {
      const text = readFileSync(at(file), "utf8");
      if (text.split(find).length !== 2) throw new Error(`${file} holds ${JSON.stringify(find)} ${text.split(find).length - 1} times`);
      writeFileSync(at(file), text.replace(find, replace));
    },
    start,
    run,
    up: async (...args) => {
      const process = await start("up", ...args);
      await process.waitForLine(/\d+ of \d+ process(es)? ready/, { timeoutMs: 90_000 });
      const url = (): string => records()[0]?.url ?? "";
      /** A process that has just taken over says where it answers a moment later. */
      const knownUrl = async (): Promise<string> => {
        for (const deadline = performance.now() + 20_000; url() === "" && performance.now() < deadline; ) await delay(20);
        return url();
      };
      return { process, url, ask: async () => (await fetch(await knownUrl(), { headers: { connection: "close" } })).json() as never };
    },
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

import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import { maxEnclosedBytes, type Cursor, type LogEntry, type ReadResult, type ReleaseId } from "@midflight/protocol";
import { createCollector, materialise, openProvenance, openPublisher, type Publisher } from "@midflight/publisher";
import { connectRegistry, type RegistryClient } from "@midflight/registry-client";
import { type AppProcess, freePort, type ProcessExit, startApp, type StartedProcess, startProcess } from "@midflight/testkit";
import { createTrustRoot, encodeSigningKey, generateSigningKey, type TrustRoot, verifyAssign } from "@midflight/trust";
import type { PublishOrder } from "./publish-process.ts";

const channel = "demo/development";
const token = "e2e-token";
const script = (name: string): string => path.join(import.meta.dirname, name);

/** Three units, the last one CommonJS, whose versions are read in one synchronous step: they must always be the same. */
const server = `import http from "node:http";
import { a } from "./a.js";
import { b } from "./b.js";
import { z } from "./z.cjs";
let served = 0;
const server = http.createServer((request, response) => {
  served += 1;
  response.end(JSON.stringify({ versions: [a(), b(), z()], served, pid: process.pid }));
});
server.listen(0, "127.0.0.1", () => console.log(\`port \${server.address().port}\`));
`;

export interface Answer {
  readonly versions: readonly number[];
  readonly served: number;
  readonly pid: number;
}

export interface Head {
  readonly release: ReleaseId;
  readonly counter: number;
}

/** Registry, publisher and apps, each in a process of its own, so that each can be killed. */
export class KillRig {
  readonly directory: string = mkdtempSync(path.join(tmpdir(), "midflight-kill-"));
  readonly projectDir: string = path.join(this.directory, "project");
  readonly root: TrustRoot;
  readonly client: RegistryClient;
  readonly #port: number;
  readonly #keeper: Publisher;
  readonly #boots = new Set<ReleaseId>();
  readonly #orders: string = path.join(this.directory, "orders");
  #registry: StartedProcess | null = null;
  #version = 0;

  private constructor(port: number) {
    const key = generateSigningKey();
    this.#port = port;
    this.root = createTrustRoot("demo", [{ name: "development", key, roles: ["builder", "planner", "controller"] }]);
    mkdirSync(path.join(this.projectDir, "src"), { recursive: true });
    writeFileSync(path.join(this.directory, "key.pem"), encodeSigningKey(key), { mode: 0o600 });
    writeFileSync(path.join(this.directory, "root.json"), JSON.stringify(this.root));
    writeFileSync(path.join(this.projectDir, "package.json"), '{"type":"module"}');
    writeFileSync(path.join(this.projectDir, "src/server.js"), server);
    this.client = connectRegistry({ url: this.#url, token, keepsProcessAlive: true });
    this.#keeper = openPublisher({
      registry: this.client, app: "demo", channel, root: this.root,
      keys: { builder: key, planner: key, controller: key },
      by: "keeper",
      provenance: openProvenance({ projectDir: this.projectDir, code: ["src"], environment: {} }),
      analyses: createCollector({ commands: [] }).analyses,
    });
  }

  static async open(): Promise<KillRig> {
    const rig = new KillRig(await freePort());
    await rig.startRegistry();
    return rig;
  }

  get #url(): string {
    return `http://127.0.0.1:${this.#port}`;
  }

  get version(): number {
    return this.#version;
  }

  get registry(): StartedProcess {
    if (this.#registry === null) throw new Error("the registry was not started");
    return this.#registry;
  }

  async startRegistry(): Promise<void> {
    const args = ["--conditions=@midflight/source", script("registry-process.ts"), path.join(this.directory, "registry.db"), String(this.#port), token, this.#orders];
    this.#registry = await startProcess({ command: process.execPath, args });
    await this.#registry.waitForLine(/^open /);
  }

  /** The registry dies at this step, the next time it comes to it. */
  orderDeath(step: string): void {
    writeFileSync(this.#orders, step);
  }

  /** Writes the next version of all three units. A large one does not fit into an append, so its blobs travel on their own. */
  edit(size: "small" | "large" = "small"): number {
    const v = (this.#version += 1);
    const write = (name: string, text: string): void => writeFileSync(path.join(this.projectDir, "src", name), text);
    const padding = size === "large" ? "// large\n".repeat(maxEnclosedBytes / 9) : "";
    write("a.js", `${padding}export function a() {\n  return ${v};\n}\n`);
    write("b.js", `export const b = () => ${v};\n`);
    write("z.cjs", `exports.z = function z() {\n  return ${v};\n};\n`);
    return v;
  }

  async startPublish(dieAt: number | null = null): Promise<StartedProcess> {
    const order: PublishOrder = {
      projectDir: this.projectDir, channel, token, dieAt, url: this.#url,
      rootFile: path.join(this.directory, "root.json"), keyFile: path.join(this.directory, "key.pem"),
    };
    return startProcess({ command: process.execPath, args: ["--conditions=@midflight/source", script("publish-process.ts"), JSON.stringify(order)] });
  }

  /** Publishes to the end. */
  async publish(): Promise<"published" | "unchanged"> {
    const publishing = await this.startPublish();
    const { code } = await ended(publishing);
    const line = publishing.stdout.lines.at(-1) ?? "";
    if (code !== 0 || !line.startsWith("outcome ")) throw new Error(`publish ended with ${code}: ${publishing.stderr.lines.join("\n")} ${line}`);
    return (JSON.parse(line.slice(8)) as { kind: "published" | "unchanged" }).kind;
  }

  async head(): Promise<Head> {
    const entry = await this.client.head(channel);
    if (entry === null) throw new Error("nothing is assigned");
    const { assign } = verifyAssign(entry.envelope, this.root);
    return { release: assign.release, counter: assign.counter };
  }

  /** The whole log. */
  async log(): Promise<readonly LogEntry[]> {
    const entries: LogEntry[] = [];
    for (let after: Cursor | null = null; ; ) {
      const page: ReadResult = await this.client.read(channel, after, 1000);
      entries.push(...page.entries);
      if (page.isEnd) return entries;
      after = page.next;
    }
  }

  directoryOf(release: ReleaseId): string {
    return path.join(this.directory, "releases", release.slice(7, 23));
  }

  /** What control does: a registry that was killed has forgotten who runs, so a publisher may have planned no way for them. */
  async planWays(): Promise<void> {
    const { release } = await this.head();
    for (const boot of this.#boots) if (boot !== release) await this.#keeper.ensureTransition(boot, release);
  }

  /** What a supervisor does: a process starts from a release's directory, made from the registry if it is not there. */
  async startApp(target: string, release: ReleaseId, dieAtEvent?: number): Promise<AppProcess> {
    this.#boots.add(release);
    await materialise({ registry: this.client, releaseId: release, root: this.root, directory: this.directoryOf(release) });
    return startApp(this.appStart(target, release, dieAtEvent));
  }

  appStart(target: string, release: ReleaseId, dieAtEvent?: number): Parameters<typeof startApp>[0] {
    return {
      args: ["src/server.js"],
      cwd: this.directoryOf(release),
      imports: [new URL("agent-events.mjs", import.meta.url).href],
      ready: /^port (\d+)$/,
      env: {
        MIDFLIGHT_REGISTRY: this.#url, MIDFLIGHT_TOKEN: token, MIDFLIGHT_CHANNEL: channel, MIDFLIGHT_SERVICE: "web", MIDFLIGHT_TARGET: target,
        MIDFLIGHT_ROOT: path.join(this.directory, "root.json"), MIDFLIGHT_STATE: path.join(this.directory, "state", target), MIDFLIGHT_PROBATION_MS: "100",
        ...(dieAtEvent === undefined ? {} : { E2E_DIE_AT_EVENT: String(dieAtEvent) }),
      },
    };
  }

  async beats(): Promise<Awaited<ReturnType<RegistryClient["presence"]>>> {
    return this.client.presence(channel);
  }

  async close(): Promise<void> {
    await this.client.close();
    await this.#registry?.killGroup();
    rmSync(this.directory, { recursive: true, force: true });
  }
}

/** How a process ended. Rejects, with what it said, if it does not. */
export async function ended(started: StartedProcess, withinMs = 60_000): Promise<ProcessExit> {
  const timer = new AbortController();
  const late = delay(withinMs, null, { signal: timer.signal }).catch(() => null);
  const exit = await Promise.race([started.exited, late]);
  timer.abort();
  if (exit !== null) return exit;
  const said = [...started.stdout.lines, ...started.stderr.lines].slice(-10).join("\n");
  await started.killGroup();
  throw new Error(`process ${started.pid} did not end within ${withinMs} ms\n${said}`);
}

export async function ask({ url }: AppProcess): Promise<Answer> {
  const answer = (await (await fetch(url, { headers: { connection: "close" } })).json()) as Answer;
  if (new Set(answer.versions).size !== 1) throw new Error(`a mixture: ${answer.versions.join(", ")}`);
  return answer;
}

/** Asks until the process serves a version; nothing but whole versions may come before. */
export async function untilServes(app: AppProcess, version: number, withinMs = 60_000): Promise<Answer> {
  const deadline = performance.now() + withinMs;
  for (;;) {
    const answer = await ask(app);
    if (answer.versions[0] === version) return answer;
    if (performance.now() > deadline) throw new Error(`it serves version ${answer.versions[0]}, not ${version}, after ${withinMs} ms\n${app.stdout.lines.slice(-20).join("\n")}`);
  }
}

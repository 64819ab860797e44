import { mkdirSync, symlinkSync, writeFileSync } from "node:fs";
import path from "node:path";
import { fileURLToPath, pathToFileURL } from "node:url";
import type { Beat, Blob, Digest, LogEntry, Registry, Report } from "@midflight/protocol";
import { createTransitionStatement } from "@midflight/protocol";
import { analyzeUnit, instrumentationVersion, planTransition, type AppShape, type UnitAnalysis } from "@midflight/planner";
import { serveRegistry, type RegistryServer } from "@midflight/registry";
import { startProcess, type StartedProcess } from "@midflight/testkit";
import { sha256, signStatement } from "@midflight/trust";
import { nodeBinary } from "../../../../scripts/node-versions.mjs";
import { writeReleaseDirectory, type PlainFile } from "./release-directory.ts";
import { until } from "./until.ts";
import { channel, World, type Published } from "./world.ts";

export interface AppRelease {
  readonly published: Published;
  /** Blobs of the Merkle tree. */
  readonly directories: readonly Blob[];
  readonly shape: AppShape;
  readonly directory: string;
}

export interface StartOptions {
  readonly node?: number;
  readonly execArgv?: readonly string[];
  /** More `--import`s, before ours. */
  readonly imports?: readonly string[];
  readonly env?: Readonly<Record<string, string | undefined>>;
  readonly entry?: string;
  readonly args?: readonly string[];
}

const registerSource = fileURLToPath(new URL("../../src/register.ts", import.meta.url));
const registerBuilt = fileURLToPath(new URL("../../dist/register.js", import.meta.url));

/** A registry behind a real server, releases made by the real planner, and apps in real processes. */
export class ServedApp {
  readonly world: World = new World();
  server: RegistryServer;
  readonly #releases: AppRelease[] = [];
  /** Units that any way has named, so that later ones say them again. */
  readonly #touched = new Set<string>();

  private constructor(server: RegistryServer) {
    this.server = server;
  }

  static async open(): Promise<ServedApp> {
    const app = new ServedApp(null as never);
    app.server = await serveRegistry(app.registry, { port: 0, tokens: { secret: ["agent"] } });
    return app;
  }

  get registry(): Registry {
    return this.world.registry;
  }

  async close(): Promise<void> {
    await this.server.close();
    this.world.close();
  }

  /** Writes a release directory from plain sources. `.js` files are units, the others assets. */
  release(files: Readonly<Record<string, string>>, format: "esm" | "cjs" = "esm"): AppRelease {
    const units = new Map<string, UnitAnalysis>();
    const assets = new Map<string, { digest: Digest; inert: boolean }>();
    const plain: Record<string, PlainFile> = {};
    for (const [name, text] of Object.entries({ ...files, "package.json": JSON.stringify({ type: format === "esm" ? "module" : "commonjs" }) })) {
      if (/\.[cm]?js$/.test(name)) {
        const own = name.endsWith(".cjs") ? "cjs" : name.endsWith(".mjs") ? "esm" : format;
        const unit = analyzeUnit(name, text, own, sha256);
        units.set(name, unit);
        plain[name] = { text: unit.artifact, source: text, format: own };
      } else {
        assets.set(name, { digest: sha256(text), inert: false });
        plain[name] = { text, kind: "asset" };
      }
    }
    const directory = path.join(this.world.directory, `release-${this.#releases.length}`);
    mkdirSync(directory);
    const { published, directories } = writeReleaseDirectory(this.world, directory, plain, { instrumentation: instrumentationVersion });
    const release = { published, directories, shape: { units, assets, lock: null }, directory };
    this.#releases.push(release);
    return release;
  }

  /** Appends a release, its way from `boot`, the way back to boot, and the assign: what a publisher does. */
  async deploy(boot: AppRelease, to: AppRelease, change: Parameters<World["assign"]>[1] = {}): Promise<void> {
    for (const { directories } of [boot, to]) await this.registry.putBlobs(directories);
    const ways = boot === to ? [] : [await this.#way(boot, to), await this.#way(boot, boot)];
    await this.world.append(to.published.entry, ...ways, this.world.assign(to.published, change));
  }

  async #way(boot: AppRelease, to: AppRelease): Promise<Omit<LogEntry, "cursor" | "at">> {
    const plan = planTransition({ boot: boot.shape, target: to.shape, touched: this.#touched, hash: sha256 });
    const blobs: string[] = [];
    const units = plan.units.map(({ unit, birth, ops }) => {
      this.#touched.add(unit);
      const opsText = JSON.stringify(ops);
      blobs.push(opsText, to.shape.units.get(unit)!.artifact);
      return { unit, birth, ops: sha256(opsText), artifact: ops.artifact };
    });
    const added = plan.added.map(({ unit, format }) => {
      const { artifact } = to.shape.units.get(unit)!;
      blobs.push(artifact);
      return { unit, format, artifact: sha256(artifact) };
    });
    await this.registry.putBlobs(blobs.map((text) => ({ digest: sha256(text), bytes: new TextEncoder().encode(text) })));
    const { id, envelope } = signStatement(
      createTransitionStatement({ from: boot.published.id, to: to.published.id, instrumentation: instrumentationVersion, rung: plan.rung, verdicts: plan.verdicts, units, added }),
      this.world.planner,
    );
    return { kind: "transition", id, envelope, from: boot.published.id, to: to.published.id };
  }

  environment(): Record<string, string> {
    const rootFile = path.join(this.world.directory, "root.json");
    writeFileSync(rootFile, JSON.stringify(this.world.root));
    return {
      MIDFLIGHT_REGISTRY: this.server.url,
      MIDFLIGHT_TOKEN: "secret",
      MIDFLIGHT_CHANNEL: channel,
      MIDFLIGHT_SERVICE: "web",
      MIDFLIGHT_TARGET: "web-1",
      MIDFLIGHT_ROOT: rootFile,
      MIDFLIGHT_STATE: path.join(this.world.directory, "state"),
      MIDFLIGHT_PROBATION_MS: "300",
    };
  }

  start(release: AppRelease, options: StartOptions = {}): Promise<StartedProcess> {
    const { node = 24, execArgv = [], imports = [], env = {}, entry = "app.js", args = [] } = options;
    // The sources run on the Node that strips types; every other one runs what is published.
    const register = node === 24 ? ["--conditions=@midflight/source", `--import=${pathToFileURL(registerSource).href}`] : [`--import=${pathToFileURL(registerBuilt).href}`];
    return startProcess({
      command: nodeBinary(node),
      args: [...execArgv, ...imports.map((i) => `--import=${i}`), ...register, path.join(release.directory, entry), ...args],
      cwd: release.directory,
      env: { ...this.environment(), NODE_OPTIONS: undefined, ...env },
    });
  }

  /** Puts the repository's packages within reach of a release's code. */
  linkPackages(release: AppRelease): void {
    symlinkSync(fileURLToPath(new URL("../../../../node_modules", import.meta.url)), path.join(release.directory, "node_modules"));
  }

  /** The first beat that satisfies the test, now or later. */
  beat(isIt: (beat: Beat) => boolean): Promise<Beat> {
    return until(async () => (await this.registry.presence(channel)).find(isIt));
  }

  report(isIt: (report: Report) => boolean): Promise<Report> {
    return until(async () => (await this.registry.reports({ channel })).find(isIt));
  }
}

/** Two releases of a small HTTP app: its answer is `price()`, 1 and then 2. */
export function shop(answer: number, format: "esm" | "cjs" = "esm"): Record<"price.js" | "app.js", string> {
  const price = `function price() {\n  return ${answer};\n}\n`;
  const body = `
const server = createServer((request, response) => response.end(String(price())));
server.listen(0, "127.0.0.1", () => console.log("port " + server.address().port));
`;
  return format === "esm"
    ? { "price.js": `export ${price}`, "app.js": `import { createServer } from "node:http";\nimport { price } from "./price.js";\n${body}` }
    : { "price.js": `${price}module.exports = { price };\n`, "app.js": `const { createServer } = require("node:http");\nconst { price } = require("./price.js");\n${body}` };
}

export async function portOf(started: StartedProcess): Promise<number> {
  return Number((await started.waitForLine(/^port (\d+)$/))[1]);
}

export async function ask(port: number): Promise<string> {
  return await (await fetch(`http://127.0.0.1:${port}/`, { headers: { connection: "close" } })).text();
}

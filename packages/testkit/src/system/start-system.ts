import { cpSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { defaultRequestPolicy, type Beat, type Registry, type ReleaseId, type Report, type RequestPolicy, type TokenRole } from "@midflight/protocol";
import {
  createCollector, materialise, openProvenance, openPublisher, readFolder,
  type CollectedTree, type Publisher, type PublishOptions, type PublishOutcome,
} from "@midflight/publisher";
import { openRegistry, type RegistryServer, serveRegistry } from "@midflight/registry";
import { createTrustRoot, encodeSigningKey, generateSigningKey, type SigningKey, type TrustRoot } from "@midflight/trust";
import { type AppProcess, type AppStart, repositoryRoot, startApp } from "./app-process.ts";
import { watchRegistry, type WatchedRegistry } from "./watched-registry.ts";

export interface SystemOptions {
  /** Default: "shop". */
  readonly app?: string;
  /** Folder whose `copied` files become the project. Default: none, the project starts empty. */
  readonly from?: string;
  /** Files and folders of `from`. Default: package.json and the code. */
  readonly copied?: readonly string[];
  /** Files to write into the project: path → text. */
  readonly files?: Readonly<Record<string, string>>;
  /** Folders that hold the code. */
  readonly code: readonly string[];
  readonly assets?: readonly string[];
  /** The command of the service `web`, such as `node src/server.ts`. */
  readonly run: string;
  readonly ready: RegExp;
  readonly env?: Readonly<Record<string, string | undefined>>;
  /** Folder whose `node_modules`, or the nearest above, the app uses. Default: the repository. */
  readonly link?: string;
  /** What agents reach by HTTP instead of the registry itself: a way to lose, repeat and spoil what they are told. */
  readonly serve?: (registry: Registry) => Registry;
  /** What its assigns say of requests under way. */
  readonly requests?: Partial<RequestPolicy>;
}

export type Published = Extract<PublishOutcome, { kind: "published" }>;

export interface StartOptions extends Partial<Pick<AppStart, "node" | "imports" | "isManaged" | "env" | "args" | "ready">> {
  /** Default: the one that is live. */
  readonly release?: ReleaseId;
  /** A directory to start from instead of a release's. */
  readonly cwd?: string;
  /** Overrides the system's. */
  readonly link?: string;
  /** Default: "web-1". The state directory of a target survives its restarts. */
  readonly target?: string;
  readonly probationMs?: number;
}

/** A whole midflight by hand: a project, a registry in SQLite behind HTTP, a publisher; and apps in real processes. */
export interface System extends Pick<WatchedRegistry, "until"> {
  readonly directory: string;
  readonly projectDir: string;
  readonly channel: string;
  readonly registry: Registry;
  readonly server: RegistryServer;
  /** What its server accepts, for another server in its place. */
  readonly tokens: Readonly<Record<string, readonly TokenRole[]>>;
  readonly root: TrustRoot;
  readonly key: SigningKey;
  readonly publisher: Publisher;
  write(files: Readonly<Record<string, string>>): void;
  collect(): Promise<CollectedTree>;
  /** Publishes the project as it lies on disk. Rejects unless that made a release. */
  publish(options?: PublishOptions): Promise<Published>;
  /** Goes back, by default to where the live assign points. Rejects unless that made an assign. */
  rollback(options?: Parameters<Publisher["rollback"]>[0]): Promise<Published>;
  /** Writes the directory that processes of a release start from. */
  materialise(release: ReleaseId): Promise<string>;
  /** Starts a process from a release's directory. */
  start(options?: StartOptions): Promise<AppProcess>;
  /** What a process is told about its agent. */
  environment(target?: string): Record<string, string>;
  /** The report of an assign by one target. Rejects when the swap was refused or reverted. */
  swapped(published: { readonly counter: number }, target?: string): Promise<Report>;
  /** Any report that fits, earlier ones included. */
  report(what: string, fits: (report: Report) => boolean): Promise<Report>;
  beat(what: string, fits: (beat: Beat) => boolean): Promise<Beat>;
  close(): Promise<void>;
}

const token = "e2e-token";
const tokens = { [token]: ["agent", "publisher", "reader"] } as const;

export async function startSystem(options: SystemOptions): Promise<System> {
  const { app = "shop", code } = options;
  const directory = mkdtempSync(path.join(tmpdir(), "midflight-e2e-"));
  const projectDir = path.join(directory, "project");
  mkdirSync(projectDir);
  if (options.from !== undefined) {
    for (const name of options.copied ?? ["package.json", ...code]) cpSync(path.join(options.from, name), path.join(projectDir, name), { recursive: true });
  }
  write(options.files ?? {});
  const channel = `${app}/development`;
  const key = generateSigningKey();
  const root = createTrustRoot(app, [{ name: "development", key, roles: ["builder", "planner", "controller"] }]);
  const rootFile = path.join(directory, "root.json");
  writeFileSync(rootFile, JSON.stringify(root));
  writeFileSync(path.join(directory, "development.key"), encodeSigningKey(key), { mode: 0o600 });
  const { registry, until } = watchRegistry(openRegistry({ path: path.join(directory, "registry.db") }));
  const server = await serveRegistry(options.serve?.(registry) ?? registry, { port: 0, tokens });
  const collector = createCollector({ commands: [{ service: "web", run: options.run }] });
  const publisher = openPublisher({
    registry, app, channel, root,
    keys: { builder: key, planner: key, controller: key },
    by: "e2e",
    provenance: openProvenance({ projectDir, code, environment: {} }),
    analyses: collector.analyses,
    ...(options.requests !== undefined && { requests: { ...defaultRequestPolicy, ...options.requests } }),
  });

  function write(files: Readonly<Record<string, string>>): void {
    for (const [name, text] of Object.entries(files)) {
      mkdirSync(path.dirname(path.join(projectDir, name)), { recursive: true });
      writeFileSync(path.join(projectDir, name), text);
    }
  }

  const collect = async (): Promise<CollectedTree> =>
    collector.collect(await readFolder({ projectDir, code, isFinished: true, ...(options.assets === undefined ? {} : { assets: options.assets }) }));

  const environment = (target = "web-1"): Record<string, string> => ({
    MIDFLIGHT_REGISTRY: server.url,
    MIDFLIGHT_TOKEN: token,
    MIDFLIGHT_CHANNEL: channel,
    MIDFLIGHT_SERVICE: "web",
    MIDFLIGHT_TARGET: target,
    MIDFLIGHT_ROOT: rootFile,
    MIDFLIGHT_STATE: path.join(directory, "state", target),
    PORT: "0",
  });

  async function liveRelease(): Promise<ReleaseId> {
    const plan = await publisher.plan(await collect());
    if (plan.live === null) throw new Error("nothing is live yet");
    return plan.live.release;
  }

  const materialiseRelease = async (releaseId: ReleaseId, link = options.link ?? repositoryRoot): Promise<string> => {
    const target = path.join(directory, "releases", releaseId.slice(7, 23));
    return (await materialise({ registry, releaseId, root, directory: target, link })).directory;
  };

  const report: System["report"] = (what, fits) => until(what, async () => (await registry.reports({ channel })).find(fits));

  return {
    directory, projectDir, channel, registry, server, tokens, root, key, publisher, until, write, collect, environment, report,
    materialise: (release) => materialiseRelease(release),
    publish: async (publishing) => published(await publisher.publish(await collect(), publishing)),
    rollback: async (rolling) => published(await publisher.rollback(rolling)),
    async start({ release, cwd, link, target = "web-1", env = {}, probationMs, args, ready, ...more } = {}) {
      const from = cwd ?? (await materialiseRelease(release ?? (await liveRelease()), link));
      const [, ...own] = options.run.split(" ");
      const probation = probationMs === undefined ? {} : { MIDFLIGHT_PROBATION_MS: String(probationMs) };
      return startApp({ ...more, args: args ?? own, cwd: from, env: { ...environment(target), ...probation, ...options.env, ...env }, ready: ready ?? options.ready });
    },
    async swapped({ counter }, target = "web-1") {
      const found = await report(`${target} reports on assign ${counter}`, (r) => r.counter === counter && r.from.target === target);
      if (found.outcome.kind !== "swapped") throw new Error(`${target} did not swap: ${JSON.stringify(found.outcome)}`);
      return found;
    },
    beat: (what, fits) => until(what, async () => (await registry.presence(channel)).find(fits)),
    async close() {
      await server.close();
      await registry.close();
      rmSync(directory, { recursive: true, force: true });
    },
  };
}

function published(outcome: PublishOutcome): Published {
  if (outcome.kind !== "published") throw new Error(`not published: ${JSON.stringify(outcome)}`);
  return outcome;
}

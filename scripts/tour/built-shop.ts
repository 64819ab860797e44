import { execFile } from "node:child_process";
import { cp, readFile, writeFile } from "node:fs/promises";
import path from "node:path";
import { promisify } from "node:util";
import { createEventLog, type EventLog } from "./event-log.ts";
import { findFreePorts } from "./free-ports.ts";
import type { Repository } from "./git.ts";
import { openLoad, type Load } from "./load.ts";
import type { News } from "./news.ts";
import { remember, type Memory } from "./proof.ts";
import { replaceOnce, shopFiles, type ShopCopy } from "./shop-copy.ts";
import { openShopper } from "./shopper.ts";
import { openSystem, type System } from "./system.ts";

/** A second shop, which runs what was compiled. Nobody watches its folder. */
export interface BuiltShop {
  readonly folder: string;
  readonly system: System;
  readonly log: EventLog;
  readonly load: Load;
  readonly memories: readonly Memory[];
  /** A CI job's folder: its sources, checked out anew. */
  checkOut(): Promise<Checkout>;
  /** Ends its processes and its customers; the folder stays. Safe to call twice. */
  close(): Promise<void>;
}

export interface Checkout {
  readonly folder: string;
  readonly repository: Repository | null;
  /** As the shop's `npm run build` does: `src` becomes `dist`. */
  compile(): Promise<void>;
}

export interface BuiltShopOptions {
  readonly root: string;
  /** Where the sources come from. */
  readonly copy: ShopCopy;
  readonly firstPort: number;
  readonly ratePerSecond: number;
  readonly news: News;
  readonly signal: AbortSignal;
}

/** Checks out in the folder, compiles, starts, and lets the first customers in. Nothing runs on if that fails. */
export async function startBuiltShop(folder: string, { root, copy, firstPort, ratePerSecond, news, signal }: BuiltShopOptions): Promise<BuiltShop> {
  const home = await checkOut(root, copy, folder);
  await home.compile();
  const configuration = path.join(folder, "midflight.config.ts");
  await writeFile(configuration, compiledConfig(await readFile(configuration, "utf8"), await findFreePorts(firstPort, 1)));
  await home.repository?.commit("Run what is compiled");

  signal.throwIfAborted();
  const log = createEventLog(news.tell, signal);
  const system = await openSystem(folder, log, signal, { watch: false });
  const closers: (() => Promise<void>)[] = [() => system.close()];
  const close = async (): Promise<void> => {
    for (const step of closers.splice(0).toReversed()) await step();
  };
  try {
    const memories = await Promise.all([...system.urls].map(async ([target, url]) => remember(await openShopper(target, url))));
    const load = await openLoad({ targets: [...system.urls.values()], ratePerSecond });
    closers.push(() => load.kill());
    const from: ShopCopy = { folder, repository: home.repository };
    return { folder, system, log, load, memories, close, checkOut: () => checkOut(root, from, path.join(folder, ".midflight", "job")) };
  } catch (error) {
    await close();
    throw error;
  }
}

function compiledConfig(text: string, port: number): string {
  const changes: readonly (readonly [RegExp, string])[] = [
    [/node src\/server\.ts/, "node dist/server.js"],
    [/code: "src"/, 'code: "dist"'],
    [/processes: \d+/, "processes: 1"],
    [/PORT: "\d+"/, `PORT: "${port}"`],
  ];
  return changes.reduce((now, [find, replacement]) => replaceOnce(now, find, replacement), text);
}

async function checkOut(root: string, { folder: from, repository }: ShopCopy, into: string): Promise<Checkout> {
  const clone = (await repository?.clone(into)) ?? null;
  if (clone === null) for (const name of [...shopFiles, "midflight.config.ts"]) await cp(path.join(from, name), path.join(into, name), { recursive: true });
  const compiler = path.join(root, "node_modules/typescript/bin/tsc");
  return {
    folder: into,
    repository: clone,
    compile: async () => {
      await promisify(execFile)(process.execPath, [compiler, "-p", "tsconfig.build.json"], { cwd: into });
    },
  };
}

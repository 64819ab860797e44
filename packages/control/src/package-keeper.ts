import { existsSync } from "node:fs";
import fs from "node:fs/promises";
import path from "node:path";
import type { Digest, Registry, ReleaseId } from "@midflight/protocol";
import { foldersOf, keepPackages, linkDependencies, openInstalled, projectPackages } from "@midflight/publisher";
import type { TrustRoot } from "@midflight/trust";
import { asMidflightError } from "@midflight/supervisor";
import type { Listen } from "./event.ts";
import { findPackages } from "./find-packages.ts";
import type { Layout } from "./project/layout.ts";

export interface PackageKeeperOptions {
  readonly registry: Registry;
  readonly root: TrustRoot;
  readonly projectDir: string;
  readonly layout: Layout;
  readonly listen: Listen;
}

/** Sees to it that a release runs with the packages that it was made with, whatever has been installed since. */
export interface PackageKeeper {
  /**
   * Links a release's directory to what is installed if that is what the release was made with, else to what was kept of it.
   * @throws MidflightError `PACKAGES_GONE` if it is neither installed nor kept
   */
  provide(release: ReleaseId, number: number, directory: string): Promise<void>;
  close(): Promise<void>;
}

/** How many installations are kept, those used last. */
const keepCount = 10;

export function openPackageKeeper({ registry, root, projectDir, layout, listen }: PackageKeeperOptions): PackageKeeper {
  const installed = openInstalled(projectDir);
  const closing = new AbortController();
  const tried = new Set<Digest>();
  let keeping: Promise<void> = Promise.resolve();

  /** Beside what serves: a process need not wait for it, because what it uses is still installed. */
  function keep(key: Digest, folders: readonly string[]): void {
    if (tried.has(key)) return;
    tried.add(key);
    keeping = keeping.then(async () => {
      try {
        const isStill = (): boolean => installed().key === key;
        const kept = await keepPackages({ folders: ["", ...folders], sourceOf: projectPackages(projectDir), directory: layout.packages(key), isStill, signal: closing.signal });
        // Asked again, it counts as used again; a link stays one.
        if (kept !== "linked") tried.delete(key);
        if (kept === "kept") await removeOld(layout, key);
      } catch (error) {
        tried.delete(key);
        listen({ kind: "trouble", error: asMidflightError(error, "What is installed could not be kept. A roll-back after the next installation will need it.") });
      }
    });
  }

  return {
    provide: async (release, number, directory) => {
      const { at, packages } = await findPackages({ registry, root, layout, projectDir, installed }, release, number);
      const { key, record } = packages;
      if (at === "unknown" || key === null) return;
      const folders = foldersOf(directory);
      const sourceOf = at === "installed" ? projectPackages(projectDir) : keptPackages(layout.packages(key));
      await linkDependencies({ directory, folders, sourceOf, links: record.links });
      if (at === "installed") keep(key, folders);
      else await fs.utimes(layout.packages(key), new Date(), new Date());
    },
    close: async () => {
      closing.abort();
      await keeping;
    },
  };
}

function keptPackages(kept: string): (folder: string) => string | null {
  return (folder) => {
    const at = path.join(kept, folder, "node_modules");
    return existsSync(at) ? at : null;
  };
}

async function removeOld(layout: Layout, newest: Digest): Promise<void> {
  const parent = path.dirname(layout.packages(newest));
  const all = await Promise.all((await fs.readdir(parent)).map(async (name) => ({ at: path.join(parent, name), usedAt: (await fs.stat(path.join(parent, name))).mtimeMs })));
  const old = all.filter(({ at }) => at !== layout.packages(newest)).sort((a, b) => b.usedAt - a.usedAt).slice(keepCount - 1);
  for (const { at } of old) await fs.rm(at, { recursive: true, force: true });
}

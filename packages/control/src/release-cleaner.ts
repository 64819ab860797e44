import fs from "node:fs/promises";
import path from "node:path";
import type { Assign, Registry, ReleaseId } from "@midflight/protocol";
import type { ResolvedConfig } from "./config/resolved-config.ts";
import type { Layout } from "./project/layout.ts";
import { returnStrays } from "./project/return-strays.ts";

/** How many newest releases the registry keeps with all they need; directories are made again when they are wanted. */
const keepReleases = 100;
const keepDirectories = 10;
/** How often, at most. */
const everyMs = 60_000;

/** Removes what nobody can need any more, so that a day of saving files does not fill the disk. */
export function openReleaseCleaner({ registry, config, layout }: { readonly registry: Registry; readonly config: ResolvedConfig; readonly layout: Layout }): { clean(followed: readonly Assign[]): Promise<void> } {
  let cleanedAt = -Infinity;
  return {
    clean: async (followed) => {
      if (performance.now() - cleanedAt < everyMs) return;
      cleanedAt = performance.now();
      await registry.retain({ keepReleases });
      const beats = await registry.presence(config.channelName);
      await removeDirectories(layout, config, new Set([...followed.flatMap(({ release, revertTo }) => [release, ...revertTo]), ...beats.flatMap(({ boot, live }) => [boot, live].filter((id) => id !== null))]));
    },
  };
}

/** A process may load a file of the release it started from at any time; those stay, and the newest ones. */
async function removeDirectories(layout: Layout, config: ResolvedConfig, needed: ReadonlySet<ReleaseId>): Promise<void> {
  const kept = new Set([...needed].map((id) => layout.release(id)));
  const names = await fs.readdir(layout.releases).catch(() => []);
  const all = await Promise.all(names.map(async (name) => ({ at: path.join(layout.releases, name), madeAt: (await fs.stat(path.join(layout.releases, name))).mtimeMs })));
  const old = all.filter(({ at }) => !kept.has(at)).sort((a, b) => b.madeAt - a.madeAt).slice(keepDirectories);
  await returnStrays(layout.releases, config.projectDir);
  for (const { at } of old) await fs.rm(at, { recursive: true, force: true });
}

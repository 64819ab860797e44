import path from "node:path";
import { contentOf, createCollector, type CollectedTree, type Collector } from "@midflight/publisher";
import { sha256 } from "@midflight/trust";
import type { History } from "./git-history.ts";
import { readLayout, type Layout } from "./layout.ts";
import { lockFiles } from "./manifest.ts";

/** One commit's library as an app of its own: its modules, what lies beside them, package.json and the lock file. */
export interface LibraryTree {
  readonly commit: string;
  readonly layout: Layout;
  /** Paths of all files of the commit. */
  readonly paths: ReadonlySet<string>;
  readonly files: ReadonlyMap<string, Buffer>;
  readonly lock: { readonly path: string; readonly digest: ReturnType<typeof sha256> } | null;
}

export async function readLibraryTree(history: History, commit: string): Promise<LibraryTree> {
  const paths = await history.files(commit);
  const layout = readLayout(paths);
  const wanted = paths.filter((file) => layout.isLibrary(file) || file === "package.json" || (path.posix.basename(file) === "package.json" && layout.isLibrary(path.posix.join(path.posix.dirname(file), "index.js"))));
  const files = await history.read(commit, wanted);
  const lockName = lockFiles.find((name) => paths.includes(name));
  const lock = lockName === undefined ? undefined : (await history.read(commit, [lockName])).get(lockName);
  return { commit, layout, paths: new Set(paths), files, lock: lock === undefined ? null : { path: lockName!, digest: sha256(lock) } };
}

/** The collector of `midflight deploy`, fed from a commit instead of a folder. */
export async function collectLibrary(collector: Collector, { files, lock }: LibraryTree): Promise<CollectedTree> {
  return await collector.collect({ files: new Map([...files].map(([file, bytes]) => [file, contentOf(bytes)])), lock, reason: "manual" });
}

export function createLibraryCollector(): Collector {
  return createCollector({ commands: [] });
}

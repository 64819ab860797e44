import path from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import { openFolder, stampGranularityMs, unsettled } from "./folder.ts";
import { openLockFile } from "./lock-file.ts";
import { createScope, type ScopeOptions } from "./scope.ts";
import { createSettler } from "./settle.ts";
import type { Batch, Source } from "./source.ts";
import { requireDirectories } from "./watch-directory.ts";

export interface FolderSourceOptions extends ScopeOptions {
  readonly projectDir: string;
  /** How long a file may go on growing. Default: 2,000 ms. */
  readonly unsettledMs?: number;
}

/**
 * One batch: a folder that somebody else filled, such as a CI job's build. Ends after it.
 *
 * @throws MidflightError `CODE_DIRECTORY_MISSING`, `BUILD_UNSETTLED`, `FILE_UNREADABLE`
 */
export async function* folderSource(options: FolderSourceOptions): Source {
  yield await readFolder(options);
}

/** The whole tree as it is now. @throws MidflightError as `folderSource` */
export async function readFolder(options: FolderSourceOptions): Promise<Batch> {
  const projectDir = path.resolve(options.projectDir);
  const unsettledMs = options.unsettledMs ?? 2_000;
  requireDirectories(projectDir, options.code);
  const folder = openFolder({ projectDir, scope: createScope(options) });
  folder.visit("");
  const settler = createSettler(folder, {
    quietMs: null,
    maxWaitMs: 0,
    unsettledMs,
    maxEvents: Infinity,
    onSettled: () => undefined,
    onProblem: () => undefined,
  });
  // Nobody says that the build has finished: what was written a moment ago has to rest before it is taken.
  const deadline = performance.now() + unsettledMs;
  for (;;) {
    await settler.settle("manual");
    const moving = folder.fresh();
    if (moving.length === 0) break;
    if (performance.now() > deadline) throw unsettled(moving);
    await delay(stampGranularityMs);
    for (const file of moving) folder.touch(file);
    await folder.sweep();
  }
  return { files: folder.snapshot(), lock: openLockFile(projectDir)(), reason: "manual" };
}

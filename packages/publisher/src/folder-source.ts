import path from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import { openFolder, unsettled } from "./folder.ts";
import { openDependencies } from "./read-dependencies.ts";
import { createScope, type ScopeOptions } from "./scope.ts";
import { createSettler } from "./settle.ts";
import type { Batch, FileContent, Source } from "./source.ts";
import { requireDirectories } from "./watch-directory.ts";

export interface FolderSourceOptions extends ScopeOptions {
  readonly projectDir: string;
  /** How long a file may go on growing. Default: 2,000 ms. */
  readonly unsettledMs?: number;
  /** The caller knows that nobody is writing any more: the tree is taken as it is found. Default: false. */
  readonly isFinished?: boolean;
}

/** A build that wrote something this recently may be writing still. */
const recentMs = 1_000;
/**
 * So many looks in a row, so far apart, must find the same. They are counted and not timed, because on a busy machine
 * a writer that gets no turn looks like one that has finished: whatever keeps it waiting makes our looks take longer.
 */
const restLooks = 5;
const lookMs = 50;

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
  await settler.settle("manual");
  if (options.isFinished !== true && folder.wasWrittenWithin(recentMs)) await untilAtRest();
  const files = folder.snapshot();
  return { files, ...openDependencies(projectDir)(files), reason: "manual" };

  /** Nobody says that the build has finished: what was written a moment ago has to rest before it is taken. */
  async function untilAtRest(): Promise<void> {
    const deadline = performance.now() + unsettledMs;
    for (let looks = 0, seen = folder.snapshot(); looks < restLooks; looks++) {
      await delay(lookMs);
      await folder.sweep();
      await settler.settle("manual");
      const now = folder.snapshot();
      if (now === seen) continue;
      if (performance.now() > deadline) throw unsettled(changedFiles(seen, now));
      seen = now;
      looks = -1;
    }
  }
}

function changedFiles(before: ReadonlyMap<string, FileContent>, after: ReadonlyMap<string, FileContent>): readonly string[] {
  return [...new Set([...before.keys(), ...after.keys()])].filter((file) => before.get(file) !== after.get(file));
}

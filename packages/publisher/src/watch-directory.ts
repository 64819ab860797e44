import { realpathSync, statSync, watch, type FSWatcher } from "node:fs";
import path from "node:path";
import { MidflightError } from "@midflight/protocol";
import { openFolder } from "./folder.ts";
import { installationRecord, openDependencies } from "./read-dependencies.ts";
import { codeFolder, createScope, lockFiles, type ScopeOptions } from "./scope.ts";
import { createSettler } from "./settle.ts";
import type { Batch, BatchReason, Source } from "./source.ts";
import { errnoOf, isGone } from "./stable-read.ts";
import { parentOf } from "./unit-kind.ts";

export interface WatchOptions extends ScopeOptions {
  readonly projectDir: string;
  /**
   * True: a quiet window ends a batch as long as no marker was ever seen. False (the default): only the marker or
   * `now()` does, because a quiet moment may lie in the middle of a build.
   */
  readonly development?: boolean;
  /** Quiet window. Default: 75 ms. */
  readonly quietMs?: number;
  /** Longest wait for a quiet window. Default: 2,000 ms. */
  readonly maxWaitMs?: number;
  /** How long a file may go on growing after that before `onProblem` hears of it. Default: 2,000 ms. */
  readonly unsettledMs?: number;
  /** How often everything is compared with what is known, in case an event was lost. Default: 60,000 ms. */
  readonly sweepMs?: number;
  /** Hears what kept a batch from ending (`BUILD_UNSETTLED`, `FILE_UNREADABLE`); the watch goes on. */
  readonly onProblem?: (error: unknown) => void;
}

export interface WatchedDirectory extends Source {
  /** Settles at once and answers the whole tree, whatever a build may be doing. @throws MidflightError `BUILD_UNSETTLED`, `FILE_UNREADABLE` */
  now(): Promise<Batch>;
  close(): void;
}

/** The kernel's event queue holds 16,384 by default; a file's change takes up to four. */
const maxEvents = 4_096;

/**
 * Watches a project's code and assets. The first batch is the tree as it is; each later one the whole tree after a
 * change. Batches that nobody took yet are overtaken by newer ones. For one consumer.
 *
 * @throws MidflightError `CODE_DIRECTORY_MISSING`
 */
export function watchDirectory(options: WatchOptions): WatchedDirectory {
  const projectDir = path.resolve(options.projectDir);
  const scope = createScope(options);
  const watchers = new Map<string, FSWatcher>();
  const readDependencies = openDependencies(projectDir);
  const onProblem = options.onProblem ?? (() => undefined);
  const markerFolder = scope.marker === null ? null : parentOf(scope.marker);
  let last: Batch | null = null;
  let pending: Batch | null = null;
  let wake: (() => void) | null = null;
  let isClosed = false;
  let markerSeen = markerStamp();
  let looking: NodeJS.Immediate | null = null;

  const folder = openFolder({ projectDir, scope, enter, leave });
  const settler = createSettler(folder, {
    quietMs: options.development === true && markerSeen === null ? (options.quietMs ?? 75) : null,
    maxWaitMs: options.maxWaitMs ?? 2_000,
    unsettledMs: options.unsettledMs ?? 2_000,
    maxEvents,
    onSettled,
    onProblem,
  });

  function enter(directory: string): void {
    leave(directory);
    try {
      const watcher = watch(path.join(projectDir, directory), (event, name) => onEvent(directory, event, name));
      watcher.on("error", () => revisit(directory));
      watchers.set(directory, watcher);
      if (directory === markerFolder) lookForMarker(false);
    } catch (cause) {
      if (!isGone(cause)) onProblem(unwatchable(directory, cause));
    }
  }

  function leave(directory: string): void {
    watchers.get(directory)?.close();
    watchers.delete(directory);
  }

  function onEvent(directory: string, event: string, name: string | null): void {
    if (isClosed) return;
    if (name === null) return revisit(directory);
    const target = directory === "" ? name : `${directory}/${name}`;
    if (target === scope.marker) return lookForMarker(true);
    if (directory === "" && lockFiles.includes(name)) return settler.changed(target);
    if (target === "node_modules") {
      watchInstallation();
      return settler.changed(target);
    }
    const before = folder.revision;
    try {
      if (event === "rename") folder.visit(target);
      else folder.touch(target);
    } catch (error) {
      onProblem(error);
    }
    if (folder.revision !== before) settler.changed(target);
  }

  /** An installation that leaves the lock file as it is shows only here. */
  function watchInstallation(): void {
    leave("node_modules");
    try {
      const watcher = watch(path.join(projectDir, "node_modules"), (_event, name) => {
        if (!isClosed && name === installationRecord) settler.changed(`node_modules/${name}`);
      });
      watcher.on("error", () => leave("node_modules"));
      watchers.set("node_modules", watcher);
    } catch (cause) {
      if (!isGone(cause)) onProblem(unwatchable("node_modules", cause));
    }
  }

  function revisit(directory: string): void {
    try {
      folder.visit(directory);
    } catch (error) {
      onProblem(error);
    }
    settler.changed(directory);
  }

  /**
   * An event of the marker came (`isEvent`), or it may have been missed. What was written before the marker that is
   * there now has been told by then, or is in the kernel's queue, which is read to its end before the next turn.
   * File times are too coarse to tell two builds apart that end within milliseconds, so an event counts in any case.
   */
  function lookForMarker(isEvent: boolean): void {
    const stamp = markerStamp();
    if (stamp === null || (!isEvent && stamp === markerSeen)) return;
    markerSeen = stamp;
    looking ??= setImmediate(() => {
      looking = null;
      settler.ignoreQuiet();
      settler.finished();
    });
  }

  function markerStamp(): string | null {
    if (scope.marker === null) return null;
    const stat = statSync(path.join(projectDir, scope.marker), { bigint: true, throwIfNoEntry: false });
    return stat === undefined ? null : `${stat.mtimeNs}:${stat.ctimeNs}:${stat.ino}`;
  }

  function onSettled(reason: BatchReason): void {
    const files = folder.snapshot();
    const { lock, dependencies } = readDependencies(files);
    if (last !== null && last.files === files && last.lock === lock && last.dependencies === dependencies && reason !== "manual") return;
    last = { files, lock, dependencies, reason };
    // Whoever asked gets it from now(); it overtakes what waits all the same.
    pending = reason === "manual" ? null : last;
    wake?.();
  }

  const sweepTimer = setInterval(() => {
    folder
      .sweep()
      .then(() => {
        if (folder.isDirty) settler.changed("");
        lookForMarker(false);
      })
      .catch(onProblem);
  }, options.sweepMs ?? 60_000);
  sweepTimer.unref();

  function close(): void {
    isClosed = true;
    clearInterval(sweepTimer);
    if (looking !== null) clearImmediate(looking);
    settler.close();
    for (const watcher of watchers.values()) watcher.close();
    watchers.clear();
    wake?.();
  }

  try {
    requireDirectories(projectDir, options.code);
    folder.visit("");
    watchInstallation();
  } catch (error) {
    close();
    throw error;
  }
  settler.settle("start").catch(onProblem);

  return {
    async now() {
      await folder.sweep();
      await settler.settle("manual");
      if (last === null) throw new MidflightError("COMMAND_INTERRUPTED", "The watch was closed.");
      return last;
    },
    close,
    async *[Symbol.asyncIterator]() {
      try {
        for (;;) {
          if (isClosed) return;
          if (pending === null) {
            await new Promise<void>((resolve) => (wake = resolve));
            wake = null;
          } else {
            const batch = pending;
            pending = null;
            yield batch;
          }
        }
      } finally {
        close();
      }
    },
  };
}

/** A missing code folder is a typing error at the start; later it only means that a build cleans up. */
export function requireDirectories(projectDir: string, code: readonly string[]): void {
  for (const root of code) {
    const folder = path.join(projectDir, codeFolder(root));
    if (codeFolder(root).split("/").includes("node_modules") && isLinked(projectDir, folder)) throw linkedPackage(projectDir, root, folder);
    if (statSync(folder, { throwIfNoEntry: false }) !== undefined) continue;
    throw new MidflightError("CODE_DIRECTORY_MISSING", {
      what: `${root}, named in \`code\`, does not exist in ${projectDir}.`,
      why: "The code was not built yet, or the folder has another name.",
      state: "Nothing was published; what was live stays live.",
      fix: ["Run the build, then try again.", "Correct `code` in the configuration."],
      details: { path: root },
    });
  }
}

function isLinked(projectDir: string, folder: string): boolean {
  try {
    return realpathSync(folder) !== path.join(realpathSync(projectDir), path.relative(projectDir, folder));
  } catch {
    return false;
  }
}

/** What lies elsewhere would find its own packages there, and not in a release. */
function linkedPackage(projectDir: string, root: string, folder: string): MidflightError {
  const real = path.relative(realpathSync(projectDir), realpathSync(folder));
  const isOwn = !real.startsWith("..") && !real.split(path.sep).includes("node_modules");
  return new MidflightError("CODE_DIRECTORY_MISSING", {
    what: `${root}, named in \`code\`, is a link to ${real}.`,
    why: "A package is taken as a package manager lays it out flat; code of your own lies where the link leads.",
    state: "Nothing was published; what was live stays live.",
    fix: isOwn ? [`Name ${real.split(path.sep).join("/")} in \`code\`.`] : ["Let your package manager copy this package instead of linking it (`node-linker=hoisted` of pnpm)."],
    details: { path: root },
  });
}

function unwatchable(directory: string, cause: unknown): MidflightError {
  const isLimit = ["ENOSPC", "EMFILE"].includes(errnoOf(cause));
  return new MidflightError(
    "FILE_UNREADABLE",
    {
      what: `${directory === "" ? "The project's folder" : directory} cannot be watched.`,
      why: isLimit ? "The system's limit of watched folders is reached (fs.inotify.max_user_watches)." : cause instanceof Error ? cause.message : String(cause),
      state: "What is live stays live; changes in that folder are found only by the regular sweep.",
      fix: isLimit ? ["Raise fs.inotify.max_user_watches, or let `code` name a smaller folder."] : [],
      details: { path: directory, errno: errnoOf(cause) },
    },
    { cause },
  );
}

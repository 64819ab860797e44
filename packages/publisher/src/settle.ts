import { setImmediate as turn, setTimeout as delay } from "node:timers/promises";
import { unsettled, type Folder } from "./folder.ts";
import type { BatchReason } from "./source.ts";

export interface SettleOptions {
  /** A batch ends when nothing changed for this long. Null: a quiet window ends nothing. */
  readonly quietMs: number | null;
  /** With changes that never pause, a batch ends after this long all the same. */
  readonly maxWaitMs: number;
  /** How long single files may go on moving after that before it is called a problem. */
  readonly unsettledMs: number;
  /** More events than this may have overrun the kernel's queue: everything is compared before the batch ends. */
  readonly maxEvents: number;
  readonly onSettled: (reason: BatchReason) => void;
  readonly onProblem: (error: unknown) => void;
}

/** Decides when a batch has ended, and reads what changed in it. */
export interface Settler {
  /** Something happened to a file of the app. */
  changed(path: string): void;
  /** The build says that it has finished. */
  finished(): void;
  /** Reads everything now. Resolves when it has been read; rejects if it could not be. */
  settle(reason: BatchReason): Promise<void>;
  /** Forget the quiet window: from now on only the marker ends batches. */
  ignoreQuiet(): void;
  close(): void;
}

export function createSettler(folder: Folder, options: SettleOptions): Settler {
  let { quietMs } = options;
  let timer: NodeJS.Timeout | null = null;
  let firstAt = 0;
  let lastAt = 0;
  let events = 0;
  let isClosed = false;
  let running: Promise<void> = Promise.resolve();
  const movedAt = new Map<string, number>();
  const moveWindowMs = options.quietMs ?? 75;

  function arm(ms: number): void {
    timer ??= setTimeout(() => void due(), ms);
  }

  async function due(): Promise<void> {
    // Events that wait in the kernel are read between a timer and the next turn.
    await turn();
    timer = null;
    if (isClosed || quietMs === null || firstAt === 0) return;
    const quietFor = performance.now() - lastAt;
    const waitedFor = performance.now() - firstAt;
    if (quietFor < quietMs && waitedFor < options.maxWaitMs) return arm(Math.min(quietMs - quietFor, options.maxWaitMs - waitedFor));
    run("quiet").catch(options.onProblem);
  }

  function run(reason: BatchReason): Promise<void> {
    const next = running.then(() => read(reason));
    running = next.catch(() => undefined);
    return next;
  }

  async function read(reason: BatchReason): Promise<void> {
    if (isClosed) return;
    if (events > options.maxEvents) await folder.sweep();
    // Not quiet: a file that was written a moment ago may be half of itself.
    const isMoving = (path: string): boolean => reason === "quiet" && performance.now() - (movedAt.get(path) ?? -Infinity) < moveWindowMs;
    firstAt = 0;
    events = 0;
    const deadline = performance.now() + options.unsettledMs;
    for (let pauseMs = 1; ; pauseMs = Math.min(pauseMs * 2, 50)) {
      const moving = folder.readDirty(isMoving);
      if (moving.length === 0) break;
      if (performance.now() > deadline) throw unsettled(moving);
      await delay(pauseMs);
      if (isClosed) return;
    }
    movedAt.clear();
    options.onSettled(reason);
  }

  return {
    changed(path) {
      lastAt = performance.now();
      events += 1;
      movedAt.set(path, lastAt);
      if (firstAt === 0) firstAt = lastAt;
      if (quietMs !== null) arm(quietMs);
    },
    finished() {
      run("marker").catch(options.onProblem);
    },
    settle: run,
    ignoreQuiet() {
      quietMs = null;
    },
    close() {
      isClosed = true;
      if (timer !== null) clearTimeout(timer);
    },
  };
}

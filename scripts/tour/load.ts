import { once } from "node:events";
import { Worker } from "node:worker_threads";
import type { LoadEnd, LoadOptions, LoadTold, TargetFigures } from "./load-messages.ts";

/** The customers of the shop: they go on, on a fixed schedule, whatever happens. */
export interface Load {
  readonly figures: readonly TargetFigures[];
  readonly answered: number;
  readonly failed: number;
  /** Resolves when `fits` says so of each process, given what was known when the wait began. Rejects when that takes too long. */
  until(what: string, fits: (now: TargetFigures, before: TargetFigures) => boolean): Promise<void>;
  /** Ends it when everything that was sent is answered. Safe to call twice. */
  stop(): Promise<LoadEnd>;
  /** Ends it now. */
  kill(): Promise<void>;
}

const untilWithinMs = 20_000;

/** Starts the load. Rejects when a process does not answer at all. */
export async function openLoad(options: LoadOptions): Promise<Load> {
  const worker = new Worker(new URL("./load-worker.ts", import.meta.url), { workerData: options, name: "load" });
  const ended = new Promise<LoadEnd>((resolve, reject) => {
    worker.on("message", (told: LoadTold) => told.kind === "end" && resolve(told));
    worker.on("error", reject);
  });
  ended.catch(() => {}); // met by whoever stops it
  let figures: readonly TargetFigures[] = [];
  const waiting = new Set<() => void>();
  let broken: Error | null = null;
  worker.on("message", (told: LoadTold) => {
    figures = told.figures;
    for (const look of waiting) look();
  });
  worker.on("error", (error) => {
    broken = error instanceof Error ? error : new Error(String(error));
    for (const look of waiting) look();
  });
  worker.on("exit", () => {
    broken ??= new Error("the load has ended");
    for (const look of waiting) look();
  });
  await once(worker, "message");

  const sum = (pick: (one: TargetFigures) => number): number => figures.reduce((total, one) => total + pick(one), 0);
  let isStopping = false;
  return {
    get figures() {
      return figures;
    },
    get answered() {
      return sum((one) => one.answered);
    },
    get failed() {
      return sum((one) => one.failed);
    },
    until: (what, fits) => {
      const before = figures;
      return new Promise((resolve, reject) => {
        const settle = (finish: () => void): void => {
          clearTimeout(timer);
          waiting.delete(look);
          finish();
        };
        const look = (): void => {
          if (broken !== null) settle(() => reject(broken!));
          else if (figures.every((one, i) => fits(one, before[i]!))) settle(resolve);
        };
        const timer = setTimeout(() => settle(() => reject(new Error(`waited ${untilWithinMs / 1000} s in vain for ${what}`))), untilWithinMs);
        waiting.add(look);
      });
    },
    stop: () => {
      if (!isStopping) worker.postMessage("stop");
      isStopping = true;
      return ended;
    },
    kill: async () => {
      await worker.terminate();
    },
  };
}

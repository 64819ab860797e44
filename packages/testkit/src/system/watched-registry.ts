import type { Registry } from "@midflight/protocol";
import { forwardRegistry } from "./forward-registry.ts";

export interface WatchedRegistry {
  readonly registry: Registry;
  /** Looks now and again after everything that agents tell. Rejects after `withinMs` (default 60 000), saying what was waited for. */
  readonly until: <T>(what: string, look: () => Promise<T | undefined | null | false>, withinMs?: number) => Promise<T>;
}

/** A registry that can be waited on: each report and each beat is an occasion to look again. */
export function watchRegistry(inner: Registry): WatchedRegistry {
  const waiting = new Set<() => void>();
  const wake = (): void => {
    for (const look of waiting) look();
  };
  const registry: Registry = {
    ...forwardRegistry(inner),
    report: async (reports) => {
      await inner.report(reports);
      wake();
    },
    beat: async (beat, ttlMs) => {
      await inner.beat(beat, ttlMs);
      wake();
    },
  };
  return { registry, until: (what, look, withinMs = 60_000) => waitFor(waiting, what, look, withinMs) };
}

function waitFor<T>(waiting: Set<() => void>, what: string, look: () => Promise<T | undefined | null | false>, withinMs: number): Promise<T> {
  return new Promise((resolve, reject) => {
    let isLooking = false;
    let isStale = false;
    const settle = (end: () => void): void => {
      clearTimeout(timer);
      waiting.delete(tryAgain);
      end();
    };
    const timer = setTimeout(() => settle(() => reject(new Error(`${what}: not within ${withinMs} ms`))), withinMs);
    const tryAgain = (): void => {
      isStale = true;
      if (!isLooking) void lookAll();
    };
    const lookAll = async (): Promise<void> => {
      isLooking = true;
      while (isStale) {
        isStale = false;
        try {
          const found = await look();
          if (found !== undefined && found !== null && found !== false) return settle(() => resolve(found));
        } catch (error) {
          return settle(() => reject(error));
        }
      }
      isLooking = false;
    };
    waiting.add(tryAgain);
    tryAgain();
  });
}

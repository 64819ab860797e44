import type { ControlEvent } from "@midflight/control";

export interface TimedEvent {
  readonly event: ControlEvent;
  /** Of the monotonic clock. */
  readonly atMs: number;
}

/** Everything that control told, in order, and who waits for what. */
export interface EventLog {
  add(event: ControlEvent): void;
  /** A place in the log, to wait for what comes after it. */
  readonly end: number;
  /** The first events after `from` that `fits` says belong, once there are `count` of them. Rejects after 30 s. */
  wait(from: number, what: string, fits: Fits, count?: number): Promise<readonly TimedEvent[]>;
  /** The same, for as long as it takes; null if `signal` comes first. */
  next(from: number, fits: Fits, count: number, signal: AbortSignal): Promise<readonly TimedEvent[] | null>;
}

type Fits = (event: ControlEvent) => boolean;

const withinMs = 30_000;

/** @param end ends all waiting */
export function createEventLog(listen: (event: ControlEvent) => void, end: AbortSignal): EventLog {
  const events: TimedEvent[] = [];
  const waiting = new Set<() => void>();
  const next: EventLog["next"] = (from, fits, count, signal) =>
    new Promise((resolve) => {
      const settle = (found: readonly TimedEvent[] | null): void => {
        waiting.delete(look);
        signal.removeEventListener("abort", giveUp);
        resolve(found);
      };
      const giveUp = (): void => settle(null);
      const look = (): void => {
        const found = events.slice(from).filter(({ event }) => fits(event));
        if (found.length >= count) settle(found.slice(0, count));
      };
      if (signal.aborted) return giveUp();
      signal.addEventListener("abort", giveUp);
      waiting.add(look);
      look();
    });
  return {
    add: (event) => {
      events.push({ event, atMs: performance.now() });
      listen(event);
      for (const look of waiting) look();
    },
    get end() {
      return events.length;
    },
    next,
    wait: async (from, what, fits, count = 1) => {
      const found = await next(from, fits, count, AbortSignal.any([end, AbortSignal.timeout(withinMs)]));
      if (found === null) throw new Error(`waited ${withinMs / 1000} s in vain for ${what}`);
      return found;
    },
  };
}

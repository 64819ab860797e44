import type { LoadReport, LoadSnapshot } from "./load-report.ts";
import { LoadTally } from "./load-tally.ts";
import { type Arrivals, createSchedule } from "./schedule.ts";
import { type FailureKind, type LoadResponse, type RequestSpec, createSender } from "./send-request.ts";
import { untilDue } from "./until-due.ts";

export interface LoadOptions {
  /** Only its host and port count. Plain HTTP. */
  readonly target: URL;
  readonly ratePerSecond: number;
  /** What to send as request `i`; the first is 0. */
  readonly plan: (i: number) => RequestSpec;
  /** Null, or the sentence that says what is wrong with the answer. Throwing counts as wrong too. Sees right statuses only. */
  readonly validate?: (response: LoadResponse, i: number, spec: RequestSpec) => string | null;
  /** When to stop sending; whichever comes first. With none of the three, `stop()` does. */
  readonly durationMs?: number;
  readonly requests?: number;
  readonly until?: AbortSignal;
  /** `mixed` opens a new connection for every tenth request. Default: keep-alive. */
  readonly connections?: "keep-alive" | "fresh" | "mixed";
  /** From sending to the last byte. Default: 2000. */
  readonly timeoutMs?: number;
  /** Default: constant. */
  readonly arrivals?: Arrivals;
  /** For Poisson arrivals. Default: 1. */
  readonly seed?: number;
  /** More than this in flight ends the run and voids it. Default: what a server that answers nothing gathers within the time-out, and half as much again. */
  readonly maxInFlight?: number;
  /** What the 99.9th percentile of lateness may reach before the run is void, in milliseconds. Default: 50; for benches give less, and `spin`. */
  readonly maxLatenessMs?: number;
  /** Burn CPU to be on time to the microsecond rather than the millisecond. Default: false. */
  readonly spin?: boolean;
  /** Keep each request's time and latency, to look at single moments later. Default: false. */
  readonly recordSamples?: boolean;
}

export interface LoadRun {
  snapshot(): LoadSnapshot;
  /** Stops sending, awaits what is in flight, and reports. */
  stop(): Promise<LoadReport>;
  /** Settles when sending has stopped for any reason and everything is answered. Rejects only when `plan` throws. */
  readonly finished: Promise<LoadReport>;
}

/** Sends a load from start to end. One of `durationMs`, `requests` and `until` is needed. */
export async function runLoad(options: LoadOptions): Promise<LoadReport> {
  if (options.durationMs === undefined && options.requests === undefined && options.until === undefined) {
    throw new RangeError("a load without durationMs, requests or until would never end");
  }
  return await startLoad(options).finished;
}

/**
 * Starts an open-loop load: each request goes out when it is due, whatever became of those before,
 * and its latency counts from then. Nothing is sent twice.
 */
export function startLoad(options: LoadOptions): LoadRun {
  const { plan, validate, ratePerSecond, until, connections = "keep-alive", timeoutMs = 2000 } = options;
  if (options.target.protocol !== "http:") throw new RangeError(`a load goes to http:, not ${options.target.protocol}`);
  const dueAfterMs = createSchedule(ratePerSecond, options.arrivals, options.seed);
  const maxInFlight = options.maxInFlight ?? Math.ceil(((ratePerSecond * timeoutMs) / 1000) * 1.5) + 50;
  const lastMs = options.durationMs ?? Number.POSITIVE_INFINITY;
  const lastIndex = options.requests ?? Number.POSITIVE_INFINITY;
  const sender = createSender(options.target, timeoutMs);
  const startedMs = performance.now();
  const tally = new LoadTally(startedMs, options.recordSamples ?? false);
  const pending = new Set<Promise<void>>();
  const stopping = new AbortController();
  const signals = until === undefined ? [stopping.signal] : [stopping.signal, until];
  let brokenBecause: string | null = null;

  async function follow(i: number, first: RequestSpec, firstDueMs: number): Promise<void> {
    let spec: RequestSpec | null = first;
    let dueMs = firstDueMs;
    while (spec !== null) {
      const isFresh = connections === "fresh" || (connections === "mixed" && i % 10 === 9);
      tally.sent(spec === first ? performance.now() - dueMs : null);
      const outcome = await sender.send(spec, isFresh);
      const nowMs = performance.now();
      tally.completed(dueMs, nowMs);
      const failure = outcome.kind === "failed" ? outcome : judge(outcome.response, spec, i);
      if (failure !== null) return tally.failed(i, spec, failure.failure, failure.message);
      spec = outcome.kind === "answered" ? (spec.next?.(outcome.response) ?? null) : null;
      dueMs = nowMs;
    }
  }

  function judge(response: LoadResponse, spec: RequestSpec, i: number): { failure: FailureKind; message: string } | null {
    const { status } = response;
    const isRight = spec.status === undefined ? status >= 200 && status <= 299 : status === spec.status;
    if (!isRight) return { failure: "status", message: `status ${status}: ${response.text().slice(0, 200)}` };
    try {
      const problem = validate?.(response, i, spec) ?? null;
      return problem === null ? null : { failure: "body", message: problem };
    } catch (error) {
      return { failure: "body", message: error instanceof Error ? error.message : String(error) };
    }
  }

  function sendDue(index: number): number {
    let i = index;
    for (; i < lastIndex && dueAfterMs(i) < lastMs && startedMs + dueAfterMs(i) <= performance.now(); i += 1) {
      if (tally.inFlight >= maxInFlight) {
        brokenBecause = `more than ${maxInFlight} requests in flight`;
        stopping.abort();
        return i;
      }
      const sent = follow(i, plan(i), startedMs + dueAfterMs(i));
      pending.add(sent);
      void sent.finally(() => pending.delete(sent));
    }
    return i;
  }

  async function sendAll(): Promise<void> {
    let i = 0;
    while (!signals.some((signal) => signal.aborted)) {
      i = sendDue(i);
      if (i >= lastIndex || dueAfterMs(i) >= lastMs) return;
      await untilDue(startedMs + dueAfterMs(i), options.spin ?? false, signals);
    }
  }

  async function finish(): Promise<LoadReport> {
    try {
      await sendAll();
      while (pending.size > 0) await Promise.all(pending);
    } finally {
      sender.close();
    }
    return tally.report(ratePerSecond, options.maxLatenessMs ?? 50, brokenBecause, sender.kept);
  }

  const finished = finish();
  return {
    snapshot: () => tally.snapshot(),
    finished,
    stop: () => {
      stopping.abort();
      return finished;
    },
  };
}

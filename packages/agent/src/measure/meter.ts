import { latencyBucket, latencyBuckets, mostMeasured, packLatencies, type Measured, type ReleaseId, type RequestCounts } from "@midflight/protocol";

/** How a request ended. `stream`: it was an event stream, which has no latency. */
export type End = "answered" | "failed" | "left" | "stream";

/** The time for which one release was live, and the requests that began in it. */
export interface Stint {
  readonly release: ReleaseId;
  readonly sinceMs: number;
  begun: number;
  ended: number;
  requests: number;
  errors: number;
  left: number;
  /** Doubles: a busy process would wrap 32 bits within days. */
  readonly latency: Float64Array;
}

/** Counters of a stint at one moment. */
interface Mark {
  readonly atMs: number;
  readonly requests: number;
  readonly errors: number;
  readonly left: number;
  readonly latency: Float64Array;
}

const markMs = 30_000;
/** A request that has taken so long is told of before it ends: one that hangs never does. */
const waitingMs = 1000;
/** Of so many requests under way it is asked, the newest first. */
const mostLookedAt = 5000;
/** So many errors are told at once, as long as the release is young. */
const manyErrors = 10;
const youngMs = 600_000;

/** Visits the requests under way. */
export type LookAtOpen = (visit: (stint: Stint, tookMs: number) => void, leastMs: number, most: number) => void;

/**
 * Counts the requests of a process by the release that was live when they began: some 20 kB, whatever happens, and some tens of
 * nanoseconds per request. Nothing is kept of a request itself.
 */
export class Meter {
  readonly #now: () => number;
  readonly #epochMs: () => number;
  readonly #stints: Stint[] = [];
  #current: Stint | null = null;
  #mark: Mark | null = null;
  #former: Mark | null = null;
  #look: LookAtOpen = () => undefined;
  /** Since the last reading. */
  #errors = 0;
  /** Called when errors pile up on a release that has not been live for long: control should not have to wait for them. */
  onErrors: (() => void) | null = null;

  /** @param now a clock that only goes forward, in ms */
  constructor(now: () => number = () => performance.now(), epochMs: () => number = Date.now) {
    this.#now = now;
    this.#epochMs = epochMs;
  }

  /** A release has become live: requests that begin from now on are its own. */
  begin(release: ReleaseId): void {
    const stint: Stint = { release, sinceMs: this.#epochMs(), begun: 0, ended: 0, requests: 0, errors: 0, left: 0, latency: new Float64Array(latencyBuckets) };
    this.#stints.push(stint);
    // Requests of an older one may still end; nobody asks for them any more.
    if (this.#stints.length > mostMeasured) this.#stints.shift();
    this.#current = stint;
    this.#former = null;
    this.#mark = markOf(stint, this.#now());
  }

  /** Where those are that have not ended. */
  lookAtOpen(look: LookAtOpen): void {
    this.#look = look;
  }

  /** A request begins. Null: nothing is live yet. */
  open(): Stint | null {
    const stint = this.#current;
    if (stint !== null) stint.begun++;
    return stint;
  }

  /** A request that began in a stint, `beganMs` by the clock, has ended. */
  close(stint: Stint, beganMs: number, end: End): void {
    stint.ended++;
    if (end === "stream") return;
    stint.requests++;
    if (end === "failed") this.#fail(stint);
    else if (end === "left") stint.left++;
    stint.latency[latencyBucket(this.#now() - beganMs)]!++;
  }

  #fail(stint: Stint): void {
    stint.errors++;
    if (stint === this.#current && ++this.#errors >= manyErrors && this.#epochMs() - stint.sinceMs < youngMs) this.onErrors?.();
  }

  /** What was counted so far; undefined before anything was live. */
  read(): Measured | undefined {
    const stint = this.#current;
    if (stint === null) return undefined;
    const atMs = this.#now();
    this.#errors = 0;
    const waiting = this.#waiting();
    if (this.#mark === null || atMs - this.#mark.atMs >= markMs) {
      this.#former = this.#mark;
      this.#mark = markOf(stint, atMs);
    }
    const from = this.#former ?? this.#mark;
    return {
      releases: this.#stints.map((one) => {
        const slow = waiting.get(one);
        return { release: one.release, sinceMs: one.sinceMs, open: one.begun - one.ended, ...pack(one), ...(slow !== undefined && { waiting: packLatencies(slow) }) };
      }),
      recent: { ms: Math.round(atMs - from.atMs), ...difference(stint, from) },
    };
  }

  #waiting(): ReadonlyMap<Stint, Float64Array> {
    const waiting = new Map<Stint, Float64Array>();
    this.#look((stint, tookMs) => {
      let counts = waiting.get(stint);
      if (counts === undefined) waiting.set(stint, (counts = new Float64Array(latencyBuckets)));
      counts[latencyBucket(tookMs)]!++;
    }, waitingMs, mostLookedAt);
    return waiting;
  }
}

function markOf({ requests, errors, left, latency }: Stint, atMs: number): Mark {
  return { atMs, requests, errors, left, latency: latency.slice() };
}

function pack({ requests, errors, left, latency }: Omit<Mark, "atMs">): RequestCounts {
  return { requests, errors, left, latency: packLatencies(latency) };
}

function difference(now: Stint, from: Mark): RequestCounts {
  return pack({
    requests: now.requests - from.requests,
    errors: now.errors - from.errors,
    left: now.left - from.left,
    latency: now.latency.map((count, bucket) => count - from.latency[bucket]!),
  });
}

import { Histogram } from "./histogram.ts";
import { type LoadFailure, type LoadReport, type LoadSnapshot, toDurations } from "./load-report.ts";
import { Samples } from "./samples.ts";
import type { FailureKind, KeptConnections, RequestSpec } from "./send-request.ts";

const SHOWN_FAILURES = 20;

/** Counts what becomes of each request. Times are milliseconds of `performance.now()`. */
export class LoadTally {
  readonly #startedMs: number;
  readonly #latency = new Histogram();
  readonly #lateness = new Histogram();
  readonly #samples: Samples | null;
  readonly #failures: Record<FailureKind, number> = { connect: 0, reset: 0, timeout: 0, protocol: 0, status: 0, body: 0 };
  readonly #firstFailures: LoadFailure[] = [];
  #sent = 0;
  #completed = 0;
  #failed = 0;
  #maxInFlight = 0;
  #maxGapMs = 0;
  #lastCompletionMs: number;

  constructor(startedMs: number, isKeepingSamples: boolean) {
    this.#startedMs = startedMs;
    this.#lastCompletionMs = startedMs;
    this.#samples = isKeepingSamples ? new Samples() : null;
  }

  get inFlight(): number {
    return this.#sent - this.#completed;
  }

  sent(latenessMs: number | null): void {
    this.#sent += 1;
    this.#maxInFlight = Math.max(this.#maxInFlight, this.inFlight);
    if (latenessMs !== null) this.#lateness.record(latenessMs * 1000);
  }

  completed(dueMs: number, nowMs: number): void {
    this.#completed += 1;
    const latencyUs = (nowMs - dueMs) * 1000;
    this.#latency.record(latencyUs);
    this.#samples?.record(performance.timeOrigin + dueMs, latencyUs);
    this.#maxGapMs = Math.max(this.#maxGapMs, nowMs - this.#lastCompletionMs);
    this.#lastCompletionMs = nowMs;
  }

  failed(i: number, spec: RequestSpec, kind: FailureKind, message: string): void {
    this.#failed += 1;
    this.#failures[kind] += 1;
    if (this.#firstFailures.length >= SHOWN_FAILURES) return;
    this.#firstFailures.push({ i, kind, message, request: `${spec.method ?? "GET"} ${spec.path}`, atMs: Date.now() });
  }

  snapshot(): LoadSnapshot {
    return {
      sent: this.#sent,
      completed: this.#completed,
      failed: this.#failed,
      inFlight: this.inFlight,
      elapsedMs: performance.now() - this.#startedMs,
    };
  }

  /** `maxLatenessMs` is what the 99.9th percentile of lateness may reach before the run is void. */
  report(ratePerSecond: number, maxLatenessMs: number, brokenBecause: string | null, kept: KeptConnections): LoadReport {
    const latenessMs = toDurations(this.#lateness);
    const isLate = latenessMs.p999 > maxLatenessMs;
    const late = `the generator was late: ${latenessMs.p999.toFixed(1)} ms at the 99.9th percentile, ${maxLatenessMs} allowed`;
    return {
      sent: this.#sent,
      completed: this.#completed,
      failed: this.#failed,
      failures: { ...this.#failures },
      firstFailures: [...this.#firstFailures],
      failureRateBelow: this.#failed === 0 && this.#completed > 0 ? Math.min(3 / this.#completed, 1) : null,
      latencyMs: toDurations(this.#latency),
      latenessMs,
      maxGapMs: this.#maxGapMs,
      maxInFlight: this.#maxInFlight,
      keptConnections: { ...kept },
      elapsedMs: performance.now() - this.#startedMs,
      ratePerSecond,
      voidBecause: brokenBecause ?? (this.#completed === 0 ? "nothing was sent" : isLate ? late : null),
      latency: this.#latency,
      samples: this.#samples,
    };
  }
}

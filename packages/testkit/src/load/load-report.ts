import type { Histogram } from "./histogram.ts";
import type { Samples } from "./samples.ts";
import type { FailureKind, KeptConnections } from "./send-request.ts";

export interface LoadFailure {
  /** Number of the request in the plan. */
  readonly i: number;
  readonly kind: FailureKind;
  readonly message: string;
  readonly request: string;
  /** Unix milliseconds. */
  readonly atMs: number;
}

/** What is known while a load runs. */
export interface LoadSnapshot {
  readonly sent: number;
  /** Answered or failed. */
  readonly completed: number;
  readonly failed: number;
  readonly inFlight: number;
  readonly elapsedMs: number;
}

export interface Durations {
  readonly p50: number;
  readonly p90: number;
  readonly p99: number;
  readonly p999: number;
  readonly max: number;
  readonly mean: number;
}

export interface LoadReport {
  readonly sent: number;
  readonly completed: number;
  readonly failed: number;
  readonly failures: Readonly<Record<FailureKind, number>>;
  /** The first 20, in order. */
  readonly firstFailures: readonly LoadFailure[];
  /** With `failed` = 0: the failure rate lies below this with 95 % confidence (rule of three). Otherwise null. */
  readonly failureRateBelow: number | null;
  /** From the moment a request was due until its last byte, in milliseconds; failed requests included. */
  readonly latencyMs: Durations;
  /** How long after they were due requests were sent, in milliseconds: the generator's own fault. */
  readonly latenessMs: Durations;
  /** The longest time without any request completing, in milliseconds. */
  readonly maxGapMs: number;
  readonly maxInFlight: number;
  readonly keptConnections: KeptConnections;
  readonly elapsedMs: number;
  readonly ratePerSecond: number;
  /** Null, or why this run shows nothing: the generator was late, or too much was in flight. */
  readonly voidBecause: string | null;
  /** Microseconds. */
  readonly latency: Histogram;
  /** Present when `recordSamples` was asked for. */
  readonly samples: Samples | null;
}

export function toDurations(microseconds: Histogram): Durations {
  const ms = (percent: number): number => microseconds.percentile(percent) / 1000;
  return { p50: ms(50), p90: ms(90), p99: ms(99), p999: ms(99.9), max: microseconds.max / 1000, mean: microseconds.mean / 1000 };
}

/** One sentence for people: "0 failed of 12,345 (below 0.024 % with 95 % confidence)". */
export function describeLoad(report: LoadReport): string {
  const total = report.completed.toLocaleString("en");
  const bound = report.failureRateBelow;
  const certainty = bound === null ? "" : ` (below ${(bound * 100).toPrecision(2)} % with 95 % confidence)`;
  const kinds = Object.entries(report.failures).filter(([, count]) => count > 0);
  const what = kinds.length === 0 ? "" : `: ${kinds.map(([kind, count]) => `${count} ${kind}`).join(", ")}`;
  const isVoid = report.voidBecause === null ? "" : `; VOID: ${report.voidBecause}`;
  return `${report.failed.toLocaleString("en")} failed of ${total}${certainty}${what}${isVoid}`;
}

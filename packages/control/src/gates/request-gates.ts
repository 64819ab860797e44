import type { GateFinding, GateVerdict } from "./gate.ts";
import type { Limit } from "./limit.ts";
import type { Pool, ServiceWindow } from "./request-window.ts";
import { sayCount, sayMs, sayNames, sayShare } from "./say.ts";
import { quantileBounds, shareBounds } from "./statistics.ts";

export interface RequestLimits {
  readonly errors: Limit | null;
  readonly p99: Limit | null;
  /** Fewer say nothing. */
  readonly minRequests: number;
  /** Which services are judged. Default: all. */
  readonly services?: readonly string[] | null;
}

/** One judgement, with the sentence that goes with it. */
export interface Judged {
  readonly kind: GateVerdict["kind"];
  readonly finding: GateFinding;
  readonly because: string;
}

/** A difference of less than this is no reason to take a release back, whatever the ratio: in ms. */
const leastDifferenceMs = 1;

/** Judges what was measured of the wave's services. A service that nobody ever asks has nothing to judge, if another has. */
export function judgeRequests(windows: readonly ServiceWindow[], limits: RequestLimits): Judged[] {
  const asked = windows.filter(({ hasRequests, isInWave, service }) => hasRequests && isInWave && (limits.services?.includes(service) ?? true));
  return asked.flatMap((window) => [
    ...(limits.errors === null ? [] : [judgeErrors(window, limits.errors, limits.minRequests)]),
    ...(limits.p99 === null ? [] : [judgeP99(window, limits.p99, limits.minRequests)]),
  ]);
}

function judgeErrors(window: ServiceWindow, limit: Limit, minRequests: number): Judged {
  const { wave, service } = window;
  const { requests: samples, errors } = wave;
  const value = samples === 0 ? null : errors / samples;
  const reference = referenceOf(window, ({ requests }) => requests, minRequests);
  const beside = reference === null ? null : { ...shareBounds(reference.pool.errors, reference.pool.requests), share: reference.pool.errors / reference.pool.requests };
  const bound = limit.kind === "value" ? limit.value : limit.factor * (beside?.upper ?? 0);
  const on = whereOf(wave, service);
  const judged = (kind: Judged["kind"], because: string): Judged => ({ kind, because, finding: { metric: "errors", value, limit: bound, samples, on } });
  if (value === null || samples < minRequests) return judged("inconclusive", tooFew("errors", samples, minRequests, on));
  if (limit.kind === "times" && beside === null) return judged("inconclusive", nothingBeside("errors", on));
  const said = `errors ${sayShare(value)}, limit ${sayShare(bound)}: ${sayCount(errors)} of ${sayCount(samples)} requests on ${on}${worstOf(wave)}`;
  if (value <= bound) return judged("ok", said);
  const { lower } = shareBounds(errors, samples);
  // What fails beside it as often is not the release's doing, and no time to go on either.
  if (limit.kind === "value" && reference?.isNow === true && beside!.share > bound && lower <= beside!.upper) return judged("inconclusive", `${said}; but the others have ${sayShare(beside!.share)}`);
  return lower > bound ? judged("failed", said) : judged("inconclusive", `${said}, which are too few to tell`);
}

function judgeP99(window: ServiceWindow, limit: Limit, minRequests: number): Judged {
  const { wave, service } = window;
  const { samples, value, lower } = quantileBounds(wave.latency, 0.99);
  const reference = referenceOf(window, ({ latency }) => sum(latency), minRequests);
  const beside = reference === null ? null : quantileBounds(reference.pool.latency, 0.99);
  const on = whereOf(wave, service);
  const atMost = (ms: number): number => (limit.kind === "value" ? limit.value : Math.max(limit.factor * ms, ms + leastDifferenceMs));
  const bound = atMost(beside?.value ?? 0);
  const judged = (kind: Judged["kind"], because: string): Judged => ({ kind, because, finding: { metric: "p99", value, limit: bound, samples, on } });
  if (value === null || samples < minRequests) return judged("inconclusive", tooFew("p99", samples, minRequests, on));
  if (limit.kind === "times" && beside === null) return judged("inconclusive", nothingBeside("p99", on));
  const times = limit.kind === "times" ? ` (${limit.factor} × ${sayMs(beside!.value!)} of ${reference!.isNow ? "the others" : "before"})` : "";
  const said = `p99 ${sayMs(value)}, limit ${sayMs(bound)}${times}: ${sayCount(samples)} requests on ${on}`;
  if (value <= bound) return judged("ok", said);
  if (limit.kind === "value" && reference?.isNow === true && beside!.value! > bound && lower <= beside!.upper) return judged("inconclusive", `${said}; but the others have ${sayMs(beside!.value!)}`);
  return lower > atMost(beside?.upper ?? 0) ? judged("failed", said) : judged("inconclusive", `${said}, which are too few to tell`);
}

/** What the wave is compared with: those that run the release before at the same time; if they are too few, its own past. */
function referenceOf({ others, past }: ServiceWindow, samplesOf: (pool: Pool) => number, minRequests: number): { readonly pool: Pool; readonly isNow: boolean } | null {
  if (samplesOf(others) >= minRequests) return { pool: others, isNow: true };
  return samplesOf(past) >= minRequests ? { pool: past, isNow: false } : null;
}

/** Nobody there runs the release yet: then it is said of the service. */
function whereOf({ errorsOf }: Pool, service: string): string {
  return errorsOf.size === 0 ? service : sayNames([...errorsOf.keys()], service);
}

function worstOf({ errorsOf, errors }: Pool): string {
  const [worst] = [...errorsOf].sort((a, b) => b[1] - a[1]);
  return worst === undefined || errorsOf.size < 2 || errors === 0 ? "" : ` (${sayCount(worst[1])} of them on ${worst[0]})`;
}

function tooFew(metric: string, samples: number, minRequests: number, on: string): string {
  return `${metric}: ${sayCount(samples)} of at least ${sayCount(minRequests)} requests were measured on ${on}`;
}

function nothingBeside(metric: string, on: string): string {
  return `${metric}: there is nothing to compare ${on} with, neither beside it nor before`;
}

function sum(counts: readonly number[]): number {
  return counts.reduce((total, count) => total + count, 0);
}

import type { ReleaseId } from "@midflight/protocol";

/** What a gate is asked while a wave bakes. */
export interface GateQuestion {
  /** The targets that were assigned the new release, by name: all waves so far. */
  readonly wave: readonly string[];
  readonly release: ReleaseId;
  /** What the others run; null: nothing was live before. */
  readonly before: ReleaseId | null;
  /** When the wave began, in epoch ms by the clock of control's host. What was measured before does not count for the wave. */
  readonly sinceMs: number;
}

/** One thing that was measured, beside the bound that it was held against. */
export interface GateFinding {
  /** `errors` (a share from 0 to 1), `p99` (ms), `prometheus` (what the query gave), `health` (an HTTP status). */
  readonly metric: string;
  /** Null: there was nothing to measure. */
  readonly value: number | null;
  /** In the unit of `value`. */
  readonly limit: number;
  /** How many requests (or, for a query or a URL, answers) the value is made of. */
  readonly samples: number;
  /** Where it was measured: a target, several of them, or a URL. */
  readonly on: string;
}

/**
 * `ok`: measured, and within every bound · `failed`: measured, and beyond one: the release is to be taken back ·
 * `inconclusive`: nobody can say yet. No data is not success: an inconclusive wave is neither widened nor taken back by it.
 */
export interface GateVerdict {
  readonly kind: "ok" | "failed" | "inconclusive";
  readonly findings: readonly GateFinding[];
  /** What failed or what is missing, as one sentence for people; null if `ok`. */
  readonly because: string | null;
}

/** Judges whether a wave does as well as what ran before. Asked again and again while it bakes; never throws and never rejects. */
export interface Gate {
  judge(question: GateQuestion): Promise<GateVerdict>;
}

import { asArray, asCount, asOneOf, asRecord, asString, invalid } from "./json.ts";
import type { ReleaseId } from "./release.ts";
import { parseDigest } from "./tree.ts";

/** How far a step of a rollout reaches: `3` processes, or `25%` of them. */
export type WaveStep = string;

/**
 * The place of an assign in a rollout by waves. It is signed with the assign, so that the log alone says how far a
 * rollout has come, and whoever holds the controller's key can go on with it.
 */
export interface Wave {
  /** Counter of the assign that began the rollout: its name within the channel's epoch. */
  readonly rollout: number;
  /** Index into `steps`. */
  readonly step: number;
  readonly steps: readonly WaveStep[];
  /** How long each wave but the last has to stay healthy, in ms. */
  readonly bakeMs: number;
  /** What the targets outside of the waves run, and where an abort leads to. */
  readonly before: ReleaseId;
  /** `paused`: no step follows before a person says so. */
  readonly mode: "going" | "paused";
}

export const maxWaves: number = 20;
/** The longest that a wave may bake: a week. */
export const maxBakeMs: number = 7 * 24 * 3_600_000;

/** True for `1` … `99999` and `0.1%` … `100%`. */
export function isWaveStep(value: unknown): value is WaveStep {
  if (typeof value !== "string") return false;
  const percent = /^(\d{1,3}(?:\.\d{1,2})?)%$/.exec(value)?.[1];
  if (percent !== undefined) return Number(percent) > 0 && Number(percent) <= 100;
  return /^[1-9]\d{0,4}$/.test(value);
}

/** How many of `total` processes a step reaches: at least one, and never a smaller share than it says. */
export function countOfStep(step: WaveStep, total: number): number {
  const wanted = step.endsWith("%") ? Math.ceil((Number(step.slice(0, -1)) * total) / 100 - 1e-9) : Number(step);
  return Math.min(total, Math.max(1, wanted));
}

/** @throws MidflightError `OBJECT_INVALID` */
export function parseWave(value: unknown, path: string): Wave {
  const w = asRecord(value, path);
  const steps = asArray(w["steps"], `${path}.steps`, maxWaves).map((step) => (isWaveStep(step) ? step : invalid(`${path}.steps`, "a count or a percentage")));
  const step = asCount(w["step"], `${path}.step`);
  if (step >= steps.length) invalid(`${path}.step`, "one of its steps");
  const bakeMs = asCount(w["bakeMs"], `${path}.bakeMs`);
  if (bakeMs > maxBakeMs) invalid(`${path}.bakeMs`, "at most a week");
  return {
    rollout: asCount(w["rollout"], `${path}.rollout`),
    step,
    steps,
    bakeMs,
    before: parseDigest(asString(w["before"], `${path}.before`), `${path}.before`),
    mode: asOneOf(w["mode"], ["going", "paused"], `${path}.mode`),
  };
}

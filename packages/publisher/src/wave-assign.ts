import { targetsOfStep, type Assign, type Digest, type WaveStep } from "@midflight/protocol";

/** How a release is to reach a fleet: step by step. */
export interface Waves {
  /** The last one reaches every process, whatever it says. */
  readonly steps: readonly WaveStep[];
  /** How long each wave but the last has to stay healthy, in ms. */
  readonly bakeMs: number;
  /** The processes of the fleet. */
  readonly names: readonly string[];
}

/** How a rollout goes on. */
export interface Proceeding {
  /** Id of the assign that it goes on from; if another one is the newest by now, nothing is done. */
  readonly expect: Digest;
  /** `next`: the next wave · `pause`: stay, until somebody says next. */
  readonly action: "next" | "pause";
  /** The processes of the fleet, for the next wave. */
  readonly names: readonly string[];
  /** Who or what asked for it, for people. */
  readonly why: string;
}

export type ProceedOutcome =
  | { readonly kind: "proceeded"; readonly assign: Digest; readonly counter: number; readonly step: number }
  /** The channel's newest assign is another one. */
  | { readonly kind: "moved" }
  /** The newest assign is not one of a rollout that goes on. */
  | { readonly kind: "none" };

/** True while some targets are still to come: until then no other release may begin, and only a roll-back may end it. */
export function isRolloutOpen(live: Assign | null): boolean {
  return live?.wave !== undefined && live.wave.step < live.wave.steps.length - 1;
}

/** What the first assign of a rollout says; of a fleet that runs nothing yet, and of a single step, there is nothing to try out. */
export function firstWave(waves: Waves | undefined, counter: number, live: Assign | null): Pick<Assign, "targets" | "wave"> {
  if (waves === undefined || waves.steps.length < 2 || live === null) return { targets: { kind: "all" } };
  const { steps, bakeMs, names } = waves;
  return { targets: targetsOfStep(steps[0]!, names, saltOf(counter)), wave: { rollout: counter, step: 0, steps, bakeMs, before: live.release, mode: "going" } };
}

/** The assign that follows one of an open rollout. Reaches never less than the one before. */
export function followingWave(live: Assign, { action, names, why }: Omit<Proceeding, "expect">, by: string, issuedAt: string): Assign {
  const wave = live.wave!;
  const next = { ...live, counter: live.counter + 1, by, why, issuedAt, cause: "deploy" as const };
  if (action === "pause") return { ...next, wave: { ...wave, mode: "paused" } };
  const step = wave.step + 1;
  const isLast = step === wave.steps.length - 1;
  return { ...next, targets: isLast ? { kind: "all" } : atLeast(live, targetsOfStep(wave.steps[step]!, names, saltOf(wave.rollout))), wave: { ...wave, step, mode: "going" } };
}

/** Processes may have come or gone since; whoever runs the release by a wave keeps it. */
function atLeast({ targets: before }: Assign, targets: Assign["targets"]): Assign["targets"] {
  if (before.kind !== "fraction" || targets.kind !== "fraction") return targets;
  return { ...targets, fraction: Math.max(before.fraction, targets.fraction) };
}

/** Another one for each rollout, so that not the same process is the first each time. */
function saltOf(rollout: number): string {
  return String(rollout);
}

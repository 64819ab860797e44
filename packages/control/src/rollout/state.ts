import type { Digest, ReleaseId, WaveStep } from "@midflight/protocol";
import type { GateVerdict } from "../gates/gate.ts";
import type { LiveAssign } from "../live-release.ts";

/**
 * `rolling`: the wave is assigned, its processes get there · `baking`: they run it, and are watched · `held`: time is up,
 * and the gates cannot say yes yet · `paused`: a person said so · `widening`, `aborting`: decided, and about to be
 * appended to the log · `returning`: taken back, its processes get there · the others are ends.
 */
export type Phase = "rolling" | "baking" | "held" | "paused" | "widening" | "aborting" | "returning" | "done" | "rolled-back" | "overtaken";

const openPhases: readonly Phase[] = ["rolling", "baking", "held", "paused", "widening", "aborting", "returning"];

/** All that is known of a rollout by waves. What the log says comes from the log; the rest is kept on disk. */
export interface RolloutState {
  readonly epoch: number;
  /** Counter of the assign that began it. */
  readonly rollout: number;
  readonly release: ReleaseId;
  readonly number: number;
  readonly before: ReleaseId;
  /** Number of the release that it was taken back to; null as long as it was not. */
  readonly backTo: number | null;
  /** Who began it. */
  readonly by: string;
  /** Epoch ms: when it began. */
  readonly startedAt: number;
  readonly steps: readonly WaveStep[];
  readonly step: number;
  readonly bakeMs: number;
  /** The assign that it stands on. */
  readonly head: Digest;
  readonly counter: number;
  readonly phase: Phase;
  /** Epoch ms: since when it is in this phase. */
  readonly phaseSince: number;
  /** Epoch ms: when this wave was assigned. */
  readonly waveSince: number;
  /** How many processes have confirmed this wave, and since when so many have; epoch ms. */
  readonly confirmed: number;
  readonly confirmedSince: number;
  /** The processes that the waves so far reach. */
  readonly wave: readonly string[];
  /** What the gates said last of this wave; null: nothing yet. */
  readonly verdict: GateVerdict | null;
  /** Why it is held, or was taken back; null if nothing is wrong. */
  readonly because: string | null;
}

/** How the processes that an assign speaks to stand to it, taken together. */
export type WaveStanding =
  | { readonly kind: "confirmed"; readonly wave: readonly string[] }
  | { readonly kind: "moving"; readonly wave: readonly string[]; readonly confirmed: number; readonly because: string }
  | { readonly kind: "failed"; readonly wave: readonly string[]; readonly because: string };

/** `at` in epoch ms. */
export type RolloutEvent =
  /** What the log says now. */
  | { readonly kind: "log"; readonly at: number; readonly head: LiveAssign }
  /** How the wave stands to that assign. */
  | { readonly kind: "standing"; readonly at: number; readonly counter: number; readonly standing: WaveStanding }
  /** The gates have judged the wave of that assign. */
  | { readonly kind: "verdict"; readonly at: number; readonly counter: number; readonly verdict: GateVerdict }
  /** A process ended by itself. */
  | { readonly kind: "fell"; readonly at: number; readonly target: string; readonly because: string }
  | { readonly kind: "tick"; readonly at: number };

/** What does not change while a control runs. */
export interface RolloutRules {
  /** How long it may take until one more process of a wave confirms it, in ms. */
  readonly deadlineMs: number;
  /** False: no gate is there to ask, and a wave passes when it has baked. */
  readonly hasGate: boolean;
}

export function isOpen(state: RolloutState | null): state is RolloutState {
  return state !== null && openPhases.includes(state.phase);
}

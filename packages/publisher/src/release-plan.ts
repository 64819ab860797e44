import type { Assign, Digest, ReleaseId, Rung, UnitVerdict, Wave } from "@midflight/protocol";
import type { CollectedTree } from "./collect.ts";
import type { Route } from "./routes.ts";

/** What a publish would do. Made without any effect; holds for the head it was made on. */
export interface ReleasePlan {
  readonly tree: CollectedTree;
  /** Id of the assign it was planned on; null: the channel has none yet. */
  readonly head: Digest | null;
  /** What is live now; null before the first release. */
  readonly live: Assign | null;
  /** True if the tree is what is live: publishing it does nothing. */
  readonly isUnchanged: boolean;
  /** Strongest rung over all processes that run, or from the live release if none does. */
  readonly rung: Rung;
  readonly verdicts: readonly UnitVerdict[];
  /** From each boot release that is alive, and from the live one. */
  readonly routes: readonly RouteSummary[];
}

export interface RouteSummary {
  readonly from: ReleaseId;
  readonly rung: Rung;
  /** How many agents run on it. */
  readonly agents: number;
  readonly verdicts: readonly UnitVerdict[];
}

export type PublishOutcome =
  | {
      readonly kind: "published";
      readonly release: ReleaseId;
      readonly number: number;
      readonly rung: Rung;
      readonly verdicts: readonly UnitVerdict[];
      /** Id of the assign, and its counter: reports name that. */
      readonly assign: Digest;
      readonly counter: number;
      /** What was live before. */
      readonly before: ReleaseId | null;
      /** Its place in a rollout by waves; null: it reaches every process at once. */
      readonly wave: Wave | null;
      /** Those that were appended with it. */
      readonly transitions: readonly { readonly from: ReleaseId; readonly to: ReleaseId; readonly rung: Rung }[];
    }
  | { readonly kind: "unchanged"; readonly release: ReleaseId; readonly number: number }
  /** Nothing was done. */
  | {
      readonly kind: "refused";
      readonly code: "REPLACE_NEEDED" | "RUNG_TOO_HIGH" | "PLAN_STALE" | "CHANNEL_HEAD_MOVED" | "ROLLBACK_NOTHING" | "ROLLOUT_IN_PROGRESS";
      readonly reason: string;
      readonly rung: Rung;
      readonly verdicts: readonly UnitVerdict[];
    };

/** What became of a tree that was to be a release, and not to be live. */
export interface ReleaseOutcome {
  /** `known`: the log had a release of that very tree. */
  readonly kind: "released" | "known";
  readonly release: ReleaseId;
  readonly number: number;
}

export function summarise(route: Route, agents: number): RouteSummary {
  return { from: route.from, rung: route.plan.rung, agents, verdicts: route.plan.verdicts };
}

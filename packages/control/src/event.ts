import type { MidflightError, ReleaseId, Rung, UnitVerdict } from "@midflight/protocol";
import type { SupervisorEvent } from "@midflight/supervisor";
import type { RolloutState } from "./rollout/state.ts";

/** What happens while control runs, as it happens. The CLI prints it; nothing depends on anyone listening. */
export type ControlEvent =
  | SupervisorEvent
  | { readonly kind: "registry-open"; readonly url: string }
  | { readonly kind: "published"; readonly release: ReleaseId; readonly number: number; readonly rung: Rung; readonly verdicts: readonly UnitVerdict[]; readonly tookMs: number }
  | { readonly kind: "publish-failed"; readonly error: MidflightError }
  | { readonly kind: "live"; readonly release: ReleaseId; readonly number: number; readonly cause: "deploy" | "rollback" | "retry"; readonly why: string | null }
  /** A rollout by waves came to another phase or step. */
  | { readonly kind: "rollout"; readonly rollout: RolloutState }
  | { readonly kind: "process-confirmed"; readonly target: string; readonly number: number; readonly pauseMs: number }
  | { readonly kind: "process-refused"; readonly target: string; readonly number: number; readonly code: string; readonly reason: string; readonly isReverted: boolean }
  | { readonly kind: "orphan-ended"; readonly target: string; readonly pid: number }
  | { readonly kind: "boot-failed-twice"; readonly target: string; readonly number: number; readonly backTo: number | null; readonly error: MidflightError }
  | { readonly kind: "replace-taken-back"; readonly target: string; readonly number: number; readonly backTo: number | null; readonly error: MidflightError }
  | { readonly kind: "stopping"; readonly processes: number };

export type Listen = (event: ControlEvent) => void;

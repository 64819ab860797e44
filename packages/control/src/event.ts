import type { MidflightError, ReleaseId, Rung, UnitVerdict } from "@midflight/protocol";
import type { Exit } from "./run/child.ts";

/** What happens while control runs, as it happens. The CLI prints it; nothing depends on anyone listening. */
export type ControlEvent =
  | { readonly kind: "registry-open"; readonly url: string }
  | { readonly kind: "published"; readonly release: ReleaseId; readonly number: number; readonly rung: Rung; readonly verdicts: readonly UnitVerdict[]; readonly tookMs: number }
  | { readonly kind: "publish-failed"; readonly error: MidflightError }
  /** Something of control itself went wrong; it goes on. */
  | { readonly kind: "trouble"; readonly error: MidflightError }
  | { readonly kind: "live"; readonly release: ReleaseId; readonly number: number; readonly cause: "deploy" | "rollback" | "retry"; readonly why: string | null }
  | { readonly kind: "process-starting"; readonly target: string; readonly number: number }
  | { readonly kind: "process-ready"; readonly target: string; readonly number: number; readonly pid: number; readonly url: string | null; readonly tookMs: number; readonly isAdopted: boolean; readonly isUnregistered: boolean }
  /** It ended, or never got ready; it is started again after `againInMs`. */
  | { readonly kind: "process-failed"; readonly target: string; readonly number: number; readonly wasReady: boolean; readonly because: string; readonly exit: Exit | null; readonly lastLines: readonly string[]; readonly logPath: string; readonly againInMs: number }
  | { readonly kind: "process-replacing"; readonly target: string; readonly number: number; readonly reason: string }
  | { readonly kind: "process-confirmed"; readonly target: string; readonly number: number; readonly pauseMs: number }
  | { readonly kind: "process-refused"; readonly target: string; readonly number: number; readonly code: string; readonly reason: string; readonly isReverted: boolean }
  | { readonly kind: "orphan-ended"; readonly target: string; readonly pid: number }
  | { readonly kind: "boot-failed-twice"; readonly target: string; readonly number: number; readonly backTo: number | null; readonly error: MidflightError }
  | { readonly kind: "stopping"; readonly processes: number };

export type Listen = (event: ControlEvent) => void;

import type { MidflightError } from "@midflight/protocol";
import type { Exit } from "./child.ts";

/** What happens to processes, as it happens. */
export type SupervisorEvent =
  /** Something of the supervisor itself went wrong; it goes on. */
  | { readonly kind: "trouble"; readonly error: MidflightError }
  | { readonly kind: "process-starting"; readonly target: string; readonly number: number }
  | { readonly kind: "process-ready"; readonly target: string; readonly number: number; readonly pid: number; readonly url: string | null; readonly tookMs: number; readonly isAdopted: boolean; readonly isUnregistered: boolean }
  /** It ended, or never got ready; it is started again after `againInMs`. */
  | { readonly kind: "process-failed"; readonly target: string; readonly number: number; readonly wasReady: boolean; readonly because: string; readonly exit: Exit | null; readonly lastLines: readonly string[]; readonly logPath: string; readonly againInMs: number }
  | { readonly kind: "process-replacing"; readonly target: string; readonly number: number; readonly reason: string };

export type Listen = (event: SupervisorEvent) => void;

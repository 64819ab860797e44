import type { MidflightError } from "@midflight/protocol";
import type { Exit } from "./exit.ts";

/** What happens to processes, as it happens. */
export type SupervisorEvent =
  /** Something of the supervisor itself went wrong; it goes on. */
  | { readonly kind: "trouble"; readonly error: MidflightError }
  | { readonly kind: "process-starting"; readonly target: string; readonly number: number }
  | { readonly kind: "process-ready"; readonly target: string; readonly number: number; readonly pid: number; readonly url: string | null; readonly tookMs: number; readonly isAdopted: boolean; readonly isUnregistered: boolean }
  /** It ended, or never got ready; it is started again after `againInMs`. */
  | { readonly kind: "process-failed"; readonly target: string; readonly number: number; readonly wasReady: boolean; readonly because: string; readonly exit: Exit | null; readonly lastLines: readonly string[]; readonly logPath: string; readonly againInMs: number }
  /** `isHandOver`: the next one starts beside it; else it ends first. */
  | { readonly kind: "process-replacing"; readonly target: string; readonly number: number; readonly reason: string; readonly isHandOver: boolean }
  /** The next one did not get ready and was ended; the one before serves on. */
  | { readonly kind: "replace-failed"; readonly target: string; readonly number: number; readonly because: string; readonly lastLines: readonly string[]; readonly logPath: string }
  /** The one before has ended. `handedOver`: connections that went on without a break; `left`: those that time was up for. */
  | { readonly kind: "process-drained"; readonly target: string; readonly number: number; readonly pid: number; readonly tookMs: number; readonly handedOver: number; readonly left: number };

export type Listen = (event: SupervisorEvent) => void;

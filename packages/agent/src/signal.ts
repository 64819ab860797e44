import { channel } from "node:diagnostics_channel";
import { isMidflightError, type AgentState, type Digest, type Drift, type ErrorCode, type SwapOutcome } from "@midflight/protocol";

/** What an agent says inside its process, on `diagnostics_channel` `midflight:agent`. It never prints. */
export type AgentSignal =
  | { readonly kind: "state"; readonly state: AgentState }
  | { readonly kind: "outcome"; readonly outcome: SwapOutcome; readonly counter: number }
  /** An object of the log that is not obeyed. */
  | { readonly kind: "ignored"; readonly id: Digest; readonly code: ErrorCode; readonly reason: string }
  /** Somebody else changed code of this process, or, if it is empty, what was changed is as it was. */
  | { readonly kind: "drift"; readonly drift: readonly Drift[] }
  /** Something inside the agent did not work; the app is not touched by it. */
  | { readonly kind: "trouble"; readonly where: string; readonly code: ErrorCode; readonly reason: string };

export type Tell = (signal: AgentSignal) => void;

const agentChannel = channel("midflight:agent");

export const tellProcess: Tell = (signal) => {
  if (agentChannel.hasSubscribers) agentChannel.publish(signal);
};

/** What these say is not about a release: a proxy that is wrong for a while, a token that is about to be changed. */
const aboutTheRegistry: ReadonlySet<ErrorCode> = new Set(["REGISTRY_UNREACHABLE", "REGISTRY_REFUSED", "TOKEN_REFUSED"]);

/** The code and the one-line reason of anything that was thrown. */
export function describeProblem(problem: unknown): { readonly code: ErrorCode; readonly reason: string; readonly isRetryable: boolean } {
  if (isMidflightError(problem)) {
    return { code: problem.code, reason: problem.facts.what, isRetryable: problem.facts.retryable === true || aboutTheRegistry.has(problem.code) };
  }
  return { code: "INTERNAL", reason: problem instanceof Error ? problem.message : String(problem), isRetryable: false };
}

export function tellTrouble(tell: Tell, where: string, problem: unknown): void {
  const { code, reason } = describeProblem(problem);
  tell({ kind: "trouble", where, code, reason });
}

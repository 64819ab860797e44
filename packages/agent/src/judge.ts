import { compareCounters, type Assign, type ErrorCode } from "@midflight/protocol";
import type { FloorState } from "./floor.ts";

export type Judgement = { readonly kind: "accepted" } | { readonly kind: "refused"; readonly code: ErrorCode; readonly reason: string };

/** Whether a verified assign may still be obeyed. One that was accepted before may be followed again, so that a restart comes up on it. */
export function judgeAssign(assign: Assign, floor: FloorState, nowMs: number): Judgement {
  const order = compareCounters(assign, floor);
  const isKnown = order === 0 && floor.release === assign.release;
  if (order < 0) {
    return refuse("ASSIGN_REPLAYED", `Assign ${assign.epoch}.${assign.counter} is older than ${floor.epoch}.${floor.counter}, which was accepted before.`);
  }
  if (order === 0 && !isKnown) {
    return refuse("ASSIGN_REPLAYED", `Assign ${assign.epoch}.${assign.counter} was accepted before, for another release.`);
  }
  // A clock that was set back does not make an expired assign young again.
  if (!isKnown && assign.expiresAt !== null && assign.expiresAt <= Math.max(nowMs, floor.issuedAtMs)) {
    return refuse("ASSIGN_EXPIRED", `The assign expired at ${new Date(assign.expiresAt).toISOString()}.`);
  }
  const reverted = floor.reverted.find((r) => r.release === assign.release);
  if (reverted !== undefined && assign.cause !== "retry") {
    return refuse("SWAP_REVERTED", `The release failed in this process before: ${reverted.reason}`);
  }
  return { kind: "accepted" };
}

function refuse(code: ErrorCode, reason: string): Judgement {
  return { kind: "refused", code, reason };
}

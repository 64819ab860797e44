import { exceedsRung, MidflightError, type Assign, type AssignCause, type Digest, type ReleaseId, type Rung } from "@midflight/protocol";
import type { Draft } from "./draft.ts";
import type { PublishOutcome, ReleasePlan } from "./release-plan.ts";

const maxRevertTo = 10;

/** What a publish answers that is not done, and why; what throws is not expected. */
export const overtaken: PublishOutcome = refused("CHANNEL_HEAD_MOVED", { rung: "patch", verdicts: [] }, "others deployed at the same time, and were first each time");

export function refused(code: Extract<PublishOutcome, { kind: "refused" }>["code"], { rung, verdicts }: Pick<Draft, "rung" | "verdicts">, reason: string): PublishOutcome {
  return { kind: "refused", code, reason, rung, verdicts };
}

/** Null if the draft may go live under this limit. */
export function checkRung(made: Draft, maxRung: Rung): PublishOutcome | null {
  if (!exceedsRung(made.rung, maxRung)) return null;
  const worst = made.verdicts.find((verdict) => verdict.rung === made.rung);
  return refused(made.rung === "replace" ? "REPLACE_NEEDED" : "RUNG_TOO_HIGH", made, worst === undefined ? `it needs ${made.rung}` : `${worst.unit}: ${worst.reason}`);
}

/** Why nothing else begins: a rollout that goes on. */
export function describeOpen({ number, wave, by, issuedAt }: Assign): string {
  return `r${number} is rolled out by ${by} since ${issuedAt}: wave ${wave!.step + 1} of ${wave!.steps.length}${wave!.mode === "paused" ? ", paused" : ""}`;
}

/** True if the code or the live release is another one than a plan was made on. */
export function isStale(plan: ReleasePlan, expect: { readonly head: Digest | null; readonly tree?: Digest }): boolean {
  return expect.head !== plan.head || (expect.tree !== undefined && expect.tree !== plan.tree.root);
}

/** @param to null: a release that is made now. Going back must not lead forward again: what is left behind is no place to revert to. */
export function revertToAfter(live: Assign | null, to: ReleaseId | null, cause: AssignCause): readonly ReleaseId[] {
  if (live === null) return [];
  if (cause === "retry") return live.revertTo;
  const before = cause === "rollback" ? live.revertTo.slice(live.revertTo.indexOf(to!) + 1) : [live.release, ...live.revertTo];
  return before.filter((release) => release !== to).slice(0, maxRevertTo);
}

export function overtakenBy(what: string): MidflightError {
  return new MidflightError("CHANNEL_HEAD_MOVED", { what: `Others deployed each time ${what} was to be added.`, state: "What is live stays live.", retryable: true });
}

export function unknownNumber(number: number): MidflightError {
  return new MidflightError("RELEASE_UNKNOWN", {
    what: `There is no release r${number} in this channel.`,
    why: "The number is wrong, or the release is no longer kept.",
    state: "Nothing was done; what was live stays live.",
    fix: ["midflight releases"],
    details: { number },
  });
}

import { MidflightError, type Rung } from "@midflight/protocol";
import type { PublishOutcome } from "@midflight/publisher";

type Refused = Extract<PublishOutcome, { kind: "refused" }>;

/** A refusal of the publisher in the four lines. @param serves what serves now, as a sentence */
export function toRefusal(refused: Refused, maxRung: Rung, serves: string): MidflightError {
  const worst = refused.verdicts.find((verdict) => verdict.rung === refused.rung);
  const state = `nothing was changed; ${serves}`;
  switch (refused.code) {
    case "REPLACE_NEEDED":
    case "RUNG_TOO_HIGH":
      return new MidflightError(refused.code, {
        what: `${worst?.unit ?? "The change"} needs ${refused.rung}, but the limit is ${maxRung}.`,
        why: worst === undefined ? refused.reason : [worst.reason, ...worst.evidence.slice(0, 5)].join("\n"),
        state,
        fix: [`midflight deploy --max-rung ${refused.rung}${refused.rung === "replace" ? "   (new processes; what is in memory is lost)" : ""}`, "change the code in a gentler way"],
        details: { rung: refused.rung, maxRung, ...(worst === undefined ? {} : { unit: worst.unit }) },
      });
    case "PLAN_STALE":
      return new MidflightError("PLAN_STALE", { what: "The plan does not hold any more.", why: refused.reason, state, fix: ["midflight plan -o FILE"] });
    case "CHANNEL_HEAD_MOVED":
      return new MidflightError("CHANNEL_HEAD_MOVED", { what: "Somebody else deployed at the same time.", why: refused.reason, state: "nothing of yours was published.", fix: ["midflight status", "midflight deploy"], retryable: true });
    case "ROLLOUT_IN_PROGRESS":
      return new MidflightError("ROLLOUT_IN_PROGRESS", {
        what: "A rollout is not at its end yet.",
        why: `${refused.reason}.`,
        state: "nothing of yours was published.",
        fix: ["midflight status --watch", "midflight deploy --lock-wait 15m", "midflight abort   (takes it back)"],
        retryable: true,
      });
    case "ROLLBACK_NOTHING":
      return new MidflightError("ROLLBACK_NOTHING", { what: "There is no release to go back to.", why: "the live release is the first one, or those before are no longer kept.", state: `nothing was done; ${serves}`, fix: ["correct the code, then: midflight deploy"] });
  }
}

import { asArray, asNullable, asOneOf, asRecord, asString, isMidflightError, MidflightError, parseDigest, parseVerdict, rungs, type Digest, type ReleaseId, type Rung, type UnitVerdict } from "@midflight/protocol";
import type { ReleasePlan } from "@midflight/publisher";
import type { ResolvedConfig } from "../config/resolved-config.ts";

/** A plan in a file: what `deploy FILE` runs, exactly that or nothing. */
export interface SavedPlan {
  readonly kind: "midflight-plan";
  readonly schema: 1;
  readonly app: string;
  readonly channel: string;
  /** Id of the assign it was made on. */
  readonly head: Digest | null;
  /** Root of the tree that it would publish. */
  readonly tree: Digest;
  readonly rung: Rung;
  /** The limit that it was made under. */
  readonly maxRung: Rung;
  readonly verdicts: readonly UnitVerdict[];
  /** The boot releases that were alive, and how each gets there. */
  readonly routes: readonly { readonly from: ReleaseId; readonly rung: Rung }[];
  /** ISO 8601. */
  readonly madeAt: string;
}

export function savePlan(plan: ReleasePlan, { app, channel }: Pick<ResolvedConfig, "app" | "channel">, maxRung: Rung): SavedPlan {
  const { head, tree, rung, verdicts } = plan;
  return { kind: "midflight-plan", schema: 1, app, channel, head, tree: tree.root, rung, maxRung, verdicts, routes: routesOf(plan), madeAt: new Date().toISOString() };
}

/** @throws MidflightError `USAGE` if the text is no saved plan */
export function parseSavedPlan(text: string, file: string): SavedPlan {
  try {
    const p = asRecord(JSON.parse(text), "plan");
    return {
      kind: asOneOf(p["kind"], ["midflight-plan"], "plan.kind"),
      schema: asOneOf(String(p["schema"]), ["1"], "plan.schema") === "1" ? 1 : 1,
      app: asString(p["app"], "plan.app"),
      channel: asString(p["channel"], "plan.channel"),
      head: asNullable(p["head"], parseDigest, "plan.head"),
      tree: parseDigest(p["tree"], "plan.tree"),
      rung: asOneOf(p["rung"], rungs, "plan.rung"),
      maxRung: asOneOf(p["maxRung"], rungs, "plan.maxRung"),
      verdicts: asArray(p["verdicts"], "plan.verdicts").map((verdict) => parseVerdict(verdict, "plan.verdicts")),
      routes: asArray(p["routes"], "plan.routes").map((value) => {
        const route = asRecord(value, "plan.routes");
        return { from: parseDigest(route["from"], "plan.routes.from"), rung: asOneOf(route["rung"], rungs, "plan.routes.rung") };
      }),
      madeAt: asString(p["madeAt"], "plan.madeAt"),
    };
  } catch (error) {
    const why = isMidflightError(error) ? error.facts.what : error instanceof Error ? error.message : String(error);
    throw new MidflightError("USAGE", { what: `${file} is not a saved plan.`, why, state: "nothing was done.", fix: [`midflight plan -o ${file}`] }, { cause: error });
  }
}

/** What is no longer as the saved plan says, in words; null if it holds. */
export function whyStale(saved: SavedPlan, now: ReleasePlan, { app, channel }: Pick<ResolvedConfig, "app" | "channel">): string | null {
  if (saved.app !== app || saved.channel !== channel) return `it is for ${saved.app}/${saved.channel}, this is ${app}/${channel}`;
  if (saved.head !== now.head) return "another release went live after it was made";
  if (saved.tree !== now.tree.root) return "the code changed after it was made";
  if (JSON.stringify(saved.routes) !== JSON.stringify(routesOf(now))) return "other processes run than when it was made";
  return JSON.stringify(saved.verdicts) === JSON.stringify(now.verdicts) ? null : "the same change is judged otherwise now";
}

function routesOf(plan: ReleasePlan): SavedPlan["routes"] {
  return plan.routes.map(({ from, rung }) => ({ from, rung })).sort((a, b) => (a.from < b.from ? -1 : 1));
}

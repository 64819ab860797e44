import { asArray, asOneOf, asRecord, asString } from "./json.ts";

/** How disruptive an update is, gentlest first. */
export type Rung = "patch" | "redefine" | "reload" | "replace";
export const rungs: readonly Rung[] = ["patch", "redefine", "reload", "replace"];

/** The stronger of two rungs. */
export function strongerRung(a: Rung, b: Rung): Rung {
  return rungs.indexOf(a) >= rungs.indexOf(b) ? a : b;
}

/** True if `rung` disrupts more than `limit` allows. */
export function exceedsRung(rung: Rung, limit: Rung): boolean {
  return rungs.indexOf(rung) > rungs.indexOf(limit);
}

/** Why a unit gets its rung, in words that CLI, JSON and dashboard print unchanged. */
export interface UnitVerdict {
  readonly unit: string;
  readonly rung: Rung;
  /** One sentence naming the declaration, e.g. "lineTax(): only the body changed". */
  readonly reason: string;
  /** What a person can check: names, places (`path:line`), counts. May be empty. */
  readonly evidence: readonly string[];
  /** The gentler rungs that were considered, and what ruled each out. */
  readonly rejected: readonly { readonly rung: Rung; readonly because: string }[];
}

/** @throws MidflightError `OBJECT_INVALID` */
export function parseVerdict(value: unknown, path: string): UnitVerdict {
  const v = asRecord(value, path);
  return {
    unit: asString(v["unit"], `${path}.unit`),
    rung: asOneOf(v["rung"], rungs, `${path}.rung`),
    reason: asString(v["reason"], `${path}.reason`),
    evidence: asArray(v["evidence"], `${path}.evidence`, 1000).map((e) => asString(e, `${path}.evidence`)),
    rejected: asArray(v["rejected"], `${path}.rejected`, 4).map((r) => {
      const record = asRecord(r, `${path}.rejected`);
      return { rung: asOneOf(record["rung"], rungs, `${path}.rejected`), because: asString(record["because"], `${path}.rejected`) };
    }),
  };
}

import type { Digest } from "./digest.ts";
import { asArray, asCount, asOneOf, asRecord, asString, invalid } from "./json.ts";
import type { ReleaseId } from "./release.ts";
import { createStatement, parseStatement, type Statement } from "./statement.ts";
import { isSafePath, parseDigest } from "./tree.ts";
import { parseVerdict, rungs, type Rung, type UnitVerdict } from "./verdict.ts";

/**
 * How a process that booted from release `from` becomes release `to`. It always leads from the boot shape and
 * replaces each unit's whole overlay, so going over a third release changes nothing.
 * With rung `replace` it holds verdicts only: the process has to be replaced.
 */
export interface Transition {
  readonly from: ReleaseId;
  readonly to: ReleaseId;
  readonly instrumentation: number;
  readonly rung: Rung;
  readonly verdicts: readonly UnitVerdict[];
  readonly units: readonly TransitionUnit[];
  /** Units that the boot release does not have; loaded when an overlay imports them. */
  readonly added: readonly { readonly unit: string; readonly format: "esm" | "cjs"; readonly artifact: Digest; readonly map?: Digest }[];
  /** Directories on the way from the tree's root to the units, to be fetched in one go with the rest. A hint: whoever lacks one asks for it. Default: none. */
  readonly directories?: readonly Digest[];
}

export interface TransitionUnit {
  readonly unit: string;
  /** Source digest of the text that the instance was loaded from; ops hold for that text only. */
  readonly birth: Digest;
  /** Blob: JSON of `UnitOps`. */
  readonly ops: Digest;
  /** Blob: the text that the ops' ranges point into. */
  readonly artifact: Digest;
  /** Blob: the artifact's source map. Inert: who lacks it shows the artifact's own lines. Default: none. */
  readonly map?: Digest;
}

export function createTransitionStatement(transition: Transition): Statement {
  return createStatement("transition", { from: transition.from, to: transition.to }, { transition });
}

/** @throws MidflightError `OBJECT_INVALID` */
export function parseTransitionStatement(value: unknown): Transition {
  const { subject, predicate } = parseStatement("transition", value);
  const t = asRecord(asRecord(predicate, "predicate")["transition"], "transition");
  const from = parseDigest(t["from"], "transition.from");
  const to = parseDigest(t["to"], "transition.to");
  if (subject.get("from") !== from || subject.get("to") !== to) invalid("transition", "what the statement's subject names");
  return {
    from,
    to,
    instrumentation: asCount(t["instrumentation"], "transition.instrumentation"),
    rung: asOneOf(t["rung"], rungs, "transition.rung"),
    verdicts: asArray(t["verdicts"], "transition.verdicts").map((v) => parseVerdict(v, "verdict")),
    units: asArray(t["units"], "transition.units").map((u) => {
      const record = asRecord(u, "transition.unit");
      return {
        unit: asUnitPath(record["unit"]),
        birth: parseDigest(record["birth"], "transition.unit.birth"),
        ops: parseDigest(record["ops"], "transition.unit.ops"),
        artifact: parseDigest(record["artifact"], "transition.unit.artifact"),
        ...parseMap(record["map"]),
      };
    }),
    added: asArray(t["added"], "transition.added").map((u) => {
      const record = asRecord(u, "transition.added");
      return {
        unit: asUnitPath(record["unit"]),
        format: asOneOf(record["format"], ["esm", "cjs"], "transition.added.format"),
        artifact: parseDigest(record["artifact"], "transition.added.artifact"),
        ...parseMap(record["map"]),
      };
    }),
    ...(t["directories"] !== undefined && { directories: asArray(t["directories"], "transition.directories").map((d) => parseDigest(d, "transition.directories")) }),
  };
}

function parseMap(value: unknown): { readonly map?: Digest } {
  return value === undefined ? {} : { map: parseDigest(value, "transition.map") };
}

function asUnitPath(value: unknown): string {
  const unit = asString(value, "unit");
  return isSafePath(unit) ? unit : invalid("unit", "a path inside the app");
}

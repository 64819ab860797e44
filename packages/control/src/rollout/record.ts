import { asArray, asCount, asNullable, asNumber, asOneOf, asRecord, asString, parseDigest } from "@midflight/protocol";
import { readJsonIfThere, writeDurably } from "@midflight/supervisor";
import type { GateFinding, GateVerdict } from "../gates/gate.ts";
import type { Layout } from "../project/layout.ts";
import type { Phase, RolloutState } from "./state.ts";

const phases: readonly Phase[] = ["rolling", "baking", "held", "paused", "widening", "aborting", "returning", "done", "rolled-back", "overtaken"];

/** Written before anything is done about it, so that a control that comes after a crash goes on where this one was. */
export function writeRollout(layout: Pick<Layout, "rollout">, state: RolloutState): void {
  writeDurably(layout.rollout, `${JSON.stringify(state)}\n`);
}

/**
 * The newest rollout that control knows; null: none, or its record cannot be read. Then the log alone tells how far it is:
 * its wave begins to bake anew, and what a person paused stays paused.
 */
export function readRollout(layout: Pick<Layout, "rollout">): RolloutState | null {
  try {
    const value = readJsonIfThere(layout.rollout);
    return value === null ? null : parseState(value);
  } catch {
    return null;
  }
}

function parseState(value: unknown): RolloutState {
  const r = asRecord(value, "rollout");
  return {
    epoch: asCount(r["epoch"], "epoch"),
    rollout: asCount(r["rollout"], "rollout"),
    release: parseDigest(r["release"], "release"),
    number: asCount(r["number"], "number"),
    before: parseDigest(r["before"], "before"),
    backTo: asNullable(r["backTo"], asCount, "backTo"),
    by: asString(r["by"], "by"),
    startedAt: asCount(r["startedAt"], "startedAt"),
    steps: asArray(r["steps"], "steps").map((step) => asString(step, "steps")),
    step: asCount(r["step"], "step"),
    bakeMs: asCount(r["bakeMs"], "bakeMs"),
    head: parseDigest(r["head"], "head"),
    counter: asCount(r["counter"], "counter"),
    phase: asOneOf(r["phase"], phases, "phase"),
    phaseSince: asCount(r["phaseSince"], "phaseSince"),
    waveSince: asCount(r["waveSince"], "waveSince"),
    confirmed: asCount(r["confirmed"], "confirmed"),
    confirmedSince: asCount(r["confirmedSince"], "confirmedSince"),
    wave: asArray(r["wave"], "wave").map((name) => asString(name, "wave")),
    verdict: asNullable(r["verdict"], parseVerdict, "verdict"),
    because: typeof r["because"] === "string" ? r["because"] : null,
  };
}

function parseVerdict(value: unknown): GateVerdict {
  const v = asRecord(value, "verdict");
  return {
    kind: asOneOf(v["kind"], ["ok", "failed", "inconclusive"], "verdict.kind"),
    findings: asArray(v["findings"], "verdict.findings").map(parseFinding),
    because: typeof v["because"] === "string" ? v["because"] : null,
  };
}

function parseFinding(value: unknown): GateFinding {
  const f = asRecord(value, "finding");
  return {
    metric: asString(f["metric"], "finding.metric"),
    value: asNullable(f["value"], asNumber, "finding.value"),
    limit: asNumber(f["limit"], "finding.limit"),
    samples: asNumber(f["samples"], "finding.samples"),
    on: asString(f["on"], "finding.on"),
  };
}

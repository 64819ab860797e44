import { asArray, asCount, asNullable, asNumber, asOneOf, asRecord, asString, invalid } from "./json.ts";
import { createStatement, parseStatement, type Statement } from "./statement.ts";
import { parseDigest } from "./tree.ts";
import { parseRequestPolicy, type RequestPolicy } from "./request-policy.ts";
import type { ReleaseId } from "./release.ts";
import { countOfStep, parseWave, type Wave, type WaveStep } from "./wave.ts";

/** Which targets an assign speaks to. A fraction picks by hash, so that the same targets are picked when it grows. */
export type Targets =
  | { readonly kind: "all" }
  | { readonly kind: "fraction"; readonly fraction: number; readonly salt: string }
  | { readonly kind: "named"; readonly names: readonly string[] };

export type AssignCause = "deploy" | "rollback" | "retry";

/** Says that in a channel, some targets run a release. The newest effective one per target wins. */
export interface Assign {
  readonly channel: string;
  /** Changes only when counters start anew; an older epoch is never obeyed. */
  readonly epoch: number;
  /** Counts up by one per assign of the channel; a lower or equal one is never obeyed. */
  readonly counter: number;
  readonly release: ReleaseId;
  /** The release's number, for people. */
  readonly number: number;
  readonly targets: Targets;
  /** Releases that a roll-back may go to, the preferred one first. Empty for the first assign. */
  readonly revertTo: readonly ReleaseId[];
  readonly cause: AssignCause;
  /** Who asked for it, for people. */
  readonly by: string;
  readonly why: string | null;
  /** ISO 8601. */
  readonly issuedAt: string;
  /** Epoch ms after which it must not be obeyed for the first time; null: never. Running code stays. */
  readonly expiresAt: number | null;
  /** What it means to requests under way. Default: what the process was started with. */
  readonly requests?: RequestPolicy;
  /** Its place in a rollout by waves; absent: it reaches all of its targets at once. */
  readonly wave?: Wave;
}

export function createAssignStatement(assign: Assign): Statement {
  return createStatement("assign", { release: assign.release }, { assign });
}

/** @throws MidflightError `OBJECT_INVALID` */
export function parseAssignStatement(value: unknown): Assign {
  const { subject, predicate } = parseStatement("assign", value);
  const a = asRecord(asRecord(predicate, "predicate")["assign"], "assign");
  const release = parseDigest(a["release"], "assign.release");
  if (subject.get("release") !== release) invalid("assign.release", "the statement's subject");
  return {
    channel: asString(a["channel"], "assign.channel", 200),
    epoch: asCount(a["epoch"], "assign.epoch"),
    counter: asCount(a["counter"], "assign.counter"),
    release,
    number: asCount(a["number"], "assign.number"),
    targets: parseTargets(a["targets"]),
    revertTo: asArray(a["revertTo"], "assign.revertTo", 100).map((r) => parseDigest(r, "assign.revertTo")),
    cause: asOneOf(a["cause"], ["deploy", "rollback", "retry"], "assign.cause"),
    by: asString(a["by"], "assign.by"),
    why: asNullable(a["why"], asString, "assign.why"),
    issuedAt: asString(a["issuedAt"], "assign.issuedAt"),
    expiresAt: asNullable(a["expiresAt"], asNumber, "assign.expiresAt"),
    ...(a["requests"] !== undefined && { requests: parseRequestPolicy(a["requests"], "assign.requests") }),
    ...(a["wave"] !== undefined && { wave: parseWave(a["wave"], "assign.wave") }),
  };
}

function parseTargets(value: unknown): Targets {
  const t = asRecord(value, "assign.targets");
  const kind = asOneOf(t["kind"], ["all", "fraction", "named"], "assign.targets.kind");
  if (kind === "all") return { kind };
  if (kind === "named") return { kind, names: asArray(t["names"], "assign.targets.names").map((n) => asString(n, "assign.targets.names")) };
  return { kind, fraction: asNumber(t["fraction"], "assign.targets.fraction"), salt: asString(t["salt"], "assign.targets.salt") };
}

/** True if the assign speaks to the target of this name. Children and threads go with the process that they belong to. */
export function appliesTo(targets: Targets, target: string): boolean {
  const process = processOf(target);
  switch (targets.kind) {
    case "all":
      return true;
    case "named":
      return targets.names.includes(target) || targets.names.includes(process);
    case "fraction":
      return spread(targets.salt, process) < targets.fraction;
  }
}

/** `web-1` of its child `web-1/4242` and of its thread `web-1#3`: a process never runs two releases. */
function processOf(target: string): string {
  return /^[^/#]*/.exec(target)![0];
}

/**
 * The targets of a step: as many of the named processes as it says, the first by hash. One that comes later falls inside
 * or outside by its own hash.
 */
export function targetsOfStep(step: WaveStep, names: readonly string[], salt: string): Targets {
  const places = names.map((name) => spread(salt, name)).sort((a, b) => a - b);
  if (places.length === 0) return { kind: "fraction", fraction: 1, salt };
  // The smallest fraction that takes the last of them in.
  return { kind: "fraction", fraction: places[countOfStep(step, places.length) - 1]! + 2 ** -33, salt };
}

/** FNV-1a, 32 bit, with the finaliser of MurmurHash3 for spread: 0 ≤ x < 1. Not for security. */
function spread(salt: string, process: string): number {
  const text = `${salt}\0${process}`;
  let h = 0x811c9dc5;
  for (let i = 0; i < text.length; i++) h = Math.imul(h ^ text.charCodeAt(i), 0x01000193);
  h = Math.imul(h ^ (h >>> 16), 0x85ebca6b);
  h = Math.imul(h ^ (h >>> 13), 0xc2b2ae35);
  return ((h ^ (h >>> 16)) >>> 0) / 0x1_0000_0000;
}

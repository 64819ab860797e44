import type { AgentState } from "./agent-state.ts";
import { parseDrift, type Drift } from "./drift.ts";
import { asCount, asNullable, asOneOf, asRecord, asString } from "./json.ts";
import { parseMeasured, type Measured } from "./measured.ts";
import type { ReleaseId } from "./release.ts";
import type { Generation, SwapOutcome } from "./swap.ts";
import { parseDigest } from "./tree.ts";

/** Who speaks: one agent in one thread of one process. `agent` is random per start, `target` is the name that assigns use. */
export interface AgentIdentity {
  readonly agent: string;
  readonly target: string;
  readonly service: string;
  readonly host: string;
  readonly pid: number;
  /** 0 for the main thread. */
  readonly thread: number;
  readonly runtime: string;
  /** ISO 8601. */
  readonly startedAt: string;
}

/** What an agent is now; sent again and again, and forgotten when it stops coming. */
export interface Beat extends AgentIdentity {
  readonly channel: string;
  readonly state: AgentState;
  /** Release on disk that the process started from; null if unknown (`unregistered`). */
  readonly boot: ReleaseId | null;
  /** Release that is live, read back; null if unknown. */
  readonly live: ReleaseId | null;
  /** Counter of the newest assign it has dealt with. */
  readonly counter: number;
  readonly generation: Generation;
  /** Code that somebody else changed in the process since; absent: none is known. */
  readonly drift?: readonly Drift[];
  /** Absent: it does not measure, or has measured nothing. */
  readonly measured?: Measured;
}

/** What became of one assign in one process; kept. */
export interface Report {
  readonly id: string;
  readonly channel: string;
  readonly counter: number;
  readonly from: AgentIdentity;
  readonly boot: ReleaseId | null;
  readonly outcome: SwapOutcome;
  /** ISO 8601, by the process's clock. */
  readonly at: string;
}

const states: readonly AgentState[] = ["starting", "unregistered", "following", "fetching", "staging", "swapping", "probation", "reverting", "stopped"];

function parseIdentity(r: Readonly<Record<string, unknown>>): AgentIdentity {
  return {
    agent: asString(r["agent"], "agent", 200),
    target: asString(r["target"], "target", 300),
    service: asString(r["service"], "service", 200),
    host: asString(r["host"], "host", 300),
    pid: asCount(r["pid"], "pid"),
    thread: asCount(r["thread"], "thread"),
    runtime: asString(r["runtime"], "runtime", 100),
    startedAt: asString(r["startedAt"], "startedAt", 40),
  };
}

/** @throws MidflightError `OBJECT_INVALID` */
export function parseBeat(value: unknown): Beat {
  const r = asRecord(value, "beat");
  const drift = parseDrift(r["drift"]);
  const measured = parseMeasured(r["measured"]);
  return {
    ...parseIdentity(r),
    channel: asString(r["channel"], "channel", 200),
    state: asOneOf(r["state"], states, "state"),
    boot: asNullable(r["boot"], parseDigest, "boot"),
    live: asNullable(r["live"], parseDigest, "live"),
    counter: asCount(r["counter"], "counter"),
    generation: asCount(r["generation"], "generation"),
    ...(drift.length > 0 && { drift }),
    ...(measured !== null && { measured }),
  };
}

/** @throws MidflightError `OBJECT_INVALID` */
export function parseReport(value: unknown): Report {
  const r = asRecord(value, "report");
  const o = asRecord(r["outcome"], "outcome");
  asOneOf(o["kind"], ["swapped", "refused", "reverted"], "outcome.kind");
  parseDigest(o["release"], "outcome.release");
  return {
    id: asString(r["id"], "id", 200),
    channel: asString(r["channel"], "channel", 200),
    counter: asCount(r["counter"], "counter"),
    from: parseIdentity(asRecord(r["from"], "from")),
    boot: asNullable(r["boot"], parseDigest, "boot"),
    outcome: o as unknown as SwapOutcome,
    at: asString(r["at"], "at", 40),
  };
}

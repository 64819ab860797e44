import { asArray, asCount, asNullable, asOneOf, asRecord, asString, parseDigest, type ReleaseId } from "@midflight/protocol";
import { readJsonIfThere, writeDurably } from "./durable-file.ts";
import type { ProcessIdentity } from "./process-identity.ts";
import type { SupervisorPaths } from "./service.ts";

/**
 * The life of one process that control keeps: `waiting` is the pause before it is started again; `replacing`: it serves, and
 * its successor is starting beside it.
 */
export type ProcessPhase = "starting" | "ready" | "replacing" | "waiting" | "stopping" | "stopped";
const phases: readonly ProcessPhase[] = ["starting", "ready", "replacing", "waiting", "stopping", "stopped"];

export interface ProcessRecord {
  readonly target: string;
  readonly service: string;
  readonly phase: ProcessPhase;
  /** Null while there is none. */
  readonly identity: ProcessIdentity | null;
  /** One that it took over from, and that still answers what it had begun. */
  readonly leaving: ProcessIdentity | null;
  /** Digest of command and variables; a process that was started otherwise is not what is wanted now. */
  readonly launchKey: string;
  /** The release it was started from. */
  readonly release: ReleaseId | null;
  readonly number: number | null;
  readonly url: string | null;
  /** ISO 8601; of this start. */
  readonly startedAt: string | null;
  /** How often in a row it failed. */
  readonly failures: number;
  /** Why it failed last, with the last lines of its log. */
  readonly lastFailure: string | null;
  /** Why a replacement ends it before the next one starts; null if that takes over from it, or nobody knows yet. */
  readonly restartsBecause: string | null;
  readonly logPath: string;
  readonly logStartBytes: number;
}

/** What control knows of its processes, in a file: for `ps`, and for the control that comes after a crash. */
export interface ProcessTable {
  set(record: ProcessRecord): void;
  all(): readonly ProcessRecord[];
}

export function openProcessTable(layout: Pick<SupervisorPaths, "processes">): ProcessTable {
  const records = new Map<string, ProcessRecord>();
  return {
    set: (record) => {
      records.set(record.target, record);
      writeDurably(layout.processes, `${JSON.stringify([...records.values()])}\n`);
    },
    all: () => [...records.values()],
  };
}

/** What the file says; empty if there is none or it cannot be understood. */
export function readProcessRecords(layout: Pick<SupervisorPaths, "processes">): readonly ProcessRecord[] {
  try {
    return asArray(readJsonIfThere(layout.processes) ?? [], "processes", 10_000).map(parseRecord);
  } catch {
    return [];
  }
}

function parseRecord(value: unknown): ProcessRecord {
  const r = asRecord(value, "process");
  return {
    target: asString(r["target"], "target"),
    service: asString(r["service"], "service"),
    phase: asOneOf(r["phase"], phases, "phase"),
    identity: asNullable(r["identity"], parseIdentity, "identity"),
    leaving: asNullable(r["leaving"], parseIdentity, "leaving"),
    launchKey: asString(r["launchKey"], "launchKey"),
    release: asNullable(r["release"], parseDigest, "release"),
    number: asNullable(r["number"], asCount, "number"),
    url: asNullable(r["url"], asString, "url"),
    startedAt: asNullable(r["startedAt"], asString, "startedAt"),
    failures: asCount(r["failures"], "failures"),
    lastFailure: typeof r["lastFailure"] === "string" ? r["lastFailure"] : null,
    restartsBecause: typeof r["restartsBecause"] === "string" ? r["restartsBecause"] : null,
    logPath: asString(r["logPath"], "logPath"),
    logStartBytes: asCount(r["logStartBytes"], "logStartBytes"),
  };
}

function parseIdentity(value: unknown): ProcessIdentity {
  const r = asRecord(value, "identity");
  return { pid: asCount(r["pid"], "pid"), startedAs: asString(r["startedAs"], "startedAs") };
}

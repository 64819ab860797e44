import { compareCounters, MidflightError, type Assign, type Cursor, type LogEntry, type Release, type ReleaseId, type Transition } from "@midflight/protocol";
import { verifyAssign, verifyRelease, verifyTransition } from "@midflight/trust";
import { isRolloutOpen } from "@midflight/publisher";
import { nearest } from "../nearest.ts";
import type { Connection } from "./connect.ts";

/** One release as the channel's log tells of it. */
export interface ReleaseRecord {
  readonly id: ReleaseId;
  readonly number: number;
  readonly release: Release;
  /** ISO 8601: when it was published. */
  readonly publishedAt: string;
  /** `assigned`: the newest assign for all names it, `rolling`: that of a wave does; whether processes run it is for the fleet to say. */
  readonly state: "assigned" | "rolling" | "superseded" | "rolled-back" | "published";
  /** The release that was assigned before it first was; null for the first. */
  readonly before: ReleaseId | null;
  /** Its assigns, newest first. */
  readonly assigns: readonly Assign[];
}

export interface History {
  /** Newest first. */
  readonly releases: readonly ReleaseRecord[];
  /** Newest first. */
  readonly assigns: readonly Assign[];
  readonly head: Assign | null;
  /** True if older entries are no longer kept. */
  readonly isTruncated: boolean;
  transition(from: ReleaseId, to: ReleaseId): Transition | null;
}

const pageSize = 500;

/** Reads a channel's log from its beginning, and each release that it speaks of; every object is verified. */
export async function readHistory(connection: Pick<Connection, "registry" | "config" | "secrets">): Promise<History> {
  const { entries, isTruncated } = await readAll(connection);
  const { root } = connection.secrets;
  const releases = new Map<ReleaseId, { release: Release; at: string }>();
  const transitions = new Map<string, LogEntry>();
  const assigns: Assign[] = [];
  for (const entry of entries) {
    if (entry.kind === "release") releases.set(entry.id, { release: verifyRelease(entry.envelope, root).release, at: entry.at });
    if (entry.kind === "transition") transitions.set(`${entry.from}>${entry.to}`, entry);
    if (entry.kind === "assign") assigns.push(verifyAssign(entry.envelope, root).assign);
  }
  // An old release that an assign went back to may lie below the log's beginning; the registry keeps it for that assign.
  for (const { release } of assigns) {
    const entry = releases.has(release) ? null : await connection.registry.entry(release);
    if (entry?.kind === "release") releases.set(release, { release: verifyRelease(entry.envelope, root).release, at: entry.at });
  }
  assigns.sort((a, b) => compareCounters(b, a));
  const records = [...releases].map(([id, { release, at }]) => toRecord(id, release, at, assigns));
  return {
    releases: records.sort((a, b) => b.number - a.number),
    assigns,
    head: assigns[0] ?? null,
    isTruncated,
    transition: (from, to) => {
      const entry = transitions.get(`${from}>${to}`);
      return entry === undefined ? null : verifyTransition(entry.envelope, root).transition;
    },
  };
}

async function readAll({ registry, config }: Pick<Connection, "registry" | "config">): Promise<{ entries: LogEntry[]; isTruncated: boolean }> {
  const entries: LogEntry[] = [];
  let after: Cursor | null = null;
  let isTruncated = false;
  while (true) {
    const page = await registry.read(config.channelName, after, pageSize);
    isTruncated ||= page.gap;
    entries.push(...page.entries);
    if (page.isEnd) return { entries, isTruncated };
    after = page.next;
  }
}

function toRecord(id: ReleaseId, release: Release, publishedAt: string, assigns: readonly Assign[]): ReleaseRecord {
  const own = assigns.filter((assign) => assign.release === id);
  const first = own.at(-1);
  const before = first === undefined ? undefined : assigns.find((assign) => compareCounters(assign, first) < 0 && assign.release !== id);
  return { id, number: release.number, release, publishedAt, state: stateOf(own, assigns), before: before?.release ?? null, assigns: own };
}

function stateOf(own: readonly Assign[], assigns: readonly Assign[]): ReleaseRecord["state"] {
  const last = own[0];
  if (last === undefined) return "published";
  if (assigns[0] === last) return isRolloutOpen(last) ? "rolling" : "assigned";
  const forAll = isRolloutOpen(assigns[0] ?? null) ? assigns.find(({ targets }) => targets.kind === "all") : undefined;
  if (forAll !== undefined && own.includes(forAll)) return "assigned";
  const next = assigns[assigns.indexOf(last) - 1];
  return next?.cause === "rollback" ? "rolled-back" : "superseded";
}

/** Finds a release by `r12`, `12` or the beginning of its digest. @throws MidflightError `RELEASE_UNKNOWN` */
export function findRelease(history: History, given: string): ReleaseRecord {
  const number = /^r?(\d{1,9})$/.exec(given)?.[1];
  const hex = /^(?:sha256:)?([0-9a-f]{6,64})$/.exec(given)?.[1];
  const found =
    (number === undefined ? undefined : history.releases.find((record) => record.number === Number(number))) ??
    (hex === undefined ? undefined : history.releases.find((record) => record.id.startsWith(`sha256:${hex}`)));
  if (found !== undefined) return found;
  const near = nearest(given, history.releases.map((record) => `r${record.number}`));
  throw new MidflightError("RELEASE_UNKNOWN", {
    what: `There is no release ${given}.${near === null ? "" : ` Did you mean ${near}?`}`,
    why: history.isTruncated ? "it does not exist, or it is no longer kept." : "no release of that name was ever published here.",
    state: "nothing was done.",
    fix: ["midflight releases"],
  });
}

import { parseAssignStatement, type Assign, type Digest, type StatementKind } from "@midflight/protocol";
import { decodeBase64 } from "@midflight/trust";

/** An entry without its envelope. `n` numbers entries over all channels, oldest first. */
export interface EntryHead {
  readonly n: number;
  readonly channel: string;
  readonly kind: StatementKind;
  readonly id: Digest;
  readonly from: Digest | null;
  readonly to: Digest | null;
}

export interface RetentionSource {
  /** All entries, oldest first. */
  readonly entries: readonly EntryHead[];
  /** The payload, base64. */
  payload(entry: EntryHead): string;
  /** The text of a blob that may be a directory of a tree; null for any other. */
  directory(digest: Digest): string | null;
}

export interface RetentionPlan {
  /** `n` of each entry to keep. */
  readonly entries: ReadonlySet<number>;
  /** Every digest that a kept entry may lead to. */
  readonly digests: ReadonlySet<Digest>;
}

/** How the encoding of each directory begins (`encodeDirectory` of the protocol). */
export const directoryStart = '{"entries":{';

/**
 * Marks what must stay: the newest releases of each channel, the assigns that some target follows now and all that
 * they may revert to, what present processes run, the transitions between any two of these, and every blob in reach.
 * Payloads are read leniently, and what cannot be read is kept: a registry does not know all versions of them.
 */
export function planRetention(source: RetentionSource, keepReleases: number, running: ReadonlySet<Digest>): RetentionPlan {
  const kept = new Set<number>();
  const releases = new Set(running);
  for (const entries of byChannel(source.entries).values()) {
    const assigns = entries.filter((e) => e.kind === "assign").map((entry) => ({ entry, assign: readAssign(source.payload(entry)) }));
    for (const { entry, assign } of followed(assigns)) {
      kept.add(entry.n);
      const digests = assign === null ? digestsIn(decode(source.payload(entry))) : [assign.release, ...assign.revertTo];
      for (const digest of digests) releases.add(digest);
    }
    const assigned = new Map(assigns.map(({ entry, assign }) => [entry.n, assign?.release]));
    for (const release of newestReleases(entries, assigned, keepReleases)) releases.add(release);
    for (const { entry, assign } of assigns) if (assign !== null && releases.has(assign.release)) kept.add(entry.n);
  }
  const seen = new Set<string>();
  for (const entry of source.entries.toReversed()) {
    if (entry.kind === "release" && releases.has(entry.id)) kept.add(entry.n);
    if (entry.kind !== "transition") continue;
    if (entry.from === null || entry.to === null) kept.add(entry.n);
    else if (releases.has(entry.from) && releases.has(entry.to) && !seen.has(entry.from + entry.to)) {
      seen.add(entry.from + entry.to); // an older one of the same ends is never served again
      kept.add(entry.n);
    }
  }
  return { entries: kept, digests: reach(source, kept) };
}

function byChannel(entries: readonly EntryHead[]): Map<string, EntryHead[]> {
  const channels = new Map<string, EntryHead[]>();
  for (const entry of entries) {
    const list = channels.get(entry.channel);
    if (list === undefined) channels.set(entry.channel, [entry]);
    else list.push(entry);
  }
  return channels;
}

interface ReadAssign {
  readonly entry: EntryHead;
  readonly assign: Assign | null;
}

/** Newest first down to the one that speaks to every target; older ones are overtaken for all. Unreadable ones always count. */
function followed(assigns: readonly ReadAssign[]): ReadAssign[] {
  const out: ReadAssign[] = [];
  let isOvertaken = false;
  for (const read of assigns.toReversed()) {
    if (!isOvertaken || read.assign === null) out.push(read);
    if (read.assign?.targets.kind === "all") isOvertaken = true;
  }
  return out;
}

function newestReleases(entries: readonly EntryHead[], assigned: ReadonlyMap<number, Digest | undefined>, count: number): Set<Digest> {
  const releases = new Set<Digest>();
  for (const entry of entries.toReversed()) {
    if (releases.size >= count) break;
    const release = entry.kind === "release" ? entry.id : assigned.get(entry.n);
    if (release !== undefined) releases.add(release);
  }
  return releases;
}

function readAssign(payload: string): Assign | null {
  try {
    return parseAssignStatement(JSON.parse(decode(payload)));
  } catch {
    return null;
  }
}

function decode(payload: string): string {
  return (decodeBase64(payload) ?? Buffer.from(payload)).toString("latin1");
}

/** Every digest a text may hold: a bare run of 64 hex digits counts too, as in-toto subjects have them. */
export function digestsIn(text: string): Digest[] {
  return Array.from(text.matchAll(/(?<![0-9a-f])[0-9a-f]{64}(?![0-9a-f])/g), ([hex]): Digest => `sha256:${hex}`);
}

function reach(source: RetentionSource, kept: ReadonlySet<number>): Set<Digest> {
  const marked = new Set<Digest>();
  const queue: Digest[] = [];
  const mark = (text: string): void => {
    for (const digest of digestsIn(text)) {
      if (marked.has(digest)) continue;
      marked.add(digest);
      queue.push(digest);
    }
  };
  for (const entry of source.entries) if (kept.has(entry.n)) mark(decode(source.payload(entry)));
  for (let digest = queue.pop(); digest !== undefined; digest = queue.pop()) {
    const directory = source.directory(digest);
    if (directory !== null) mark(directory);
  }
  return marked;
}

import { parseAssignStatement, type Assign, type Digest, type StatementKind } from "@midflight/protocol";
import { decodeBase64 } from "@midflight/trust";

/** An entry without its envelope. `n` numbers entries over all channels, oldest first. */
export interface EntryHead {
  readonly n: number;
  readonly channel: string;
  readonly seq: number;
  /** Place of the first entry that was appended together with this one. */
  readonly batch: number;
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
  /** By channel: entries up to here are in the log no more. None is named whose log stays as it is. */
  readonly floors: ReadonlyMap<string, number>;
  /** `n` of each entry to keep: all above the floors, and those below that are still found by id. */
  readonly entries: ReadonlySet<number>;
  /** Every digest that a kept entry may lead to. */
  readonly digests: ReadonlySet<Digest>;
}

/** How the encoding of each directory begins (`encodeDirectory` of the protocol). */
export const directoryStart = '{"entries":{';

/**
 * Marks what must stay. A log loses a prefix only, so that what is left of it has no hole: it begins with the append
 * that first speaks of the newest releases, or with the oldest assign that some target still follows. Below that,
 * objects are kept that the rest leads to: what may be reverted to, what present processes run, the transitions
 * between kept releases, and every blob in reach. Payloads are read leniently, and what cannot be read is kept: a
 * registry does not know all versions of them.
 *
 * It yields now and then, so that a large plan can be made in slices; if the source changes in between, the plan is void.
 */
export function* planRetention(source: RetentionSource, keepReleases: number, running: ReadonlySet<Digest>): Generator<void, RetentionPlan, void> {
  const floors = new Map<string, number>();
  const kept = new Set<number>();
  const releases = new Set(running);
  for (const [channel, entries] of byChannel(source.entries)) {
    const assigns = new Map(entries.filter((e) => e.kind === "assign").map((e) => [e.n, readAssign(source.payload(e))]));
    const followed = followedAssigns(entries, assigns);
    const newest = newestMentions(entries, assigns, keepReleases);
    const floor = Math.min(...[...followed, ...newest].map((e) => e.batch)) - 1;
    if (floor === Infinity) {
      for (const entry of entries) kept.add(entry.n); // neither a release nor an assign: there is nothing to judge by
      continue;
    }
    floors.set(channel, floor);
    for (const entry of followed) for (const release of revertsTo(assigns.get(entry.n), source.payload(entry))) releases.add(release);
    for (const entry of entries) {
      if (entry.seq <= floor) continue;
      kept.add(entry.n);
      const release = mentioned(entry, assigns);
      if (release !== undefined) releases.add(release);
    }
  }
  keepByReference(source.entries, releases, kept);
  return { floors, entries: kept, digests: yield* reach(source, kept) };
}

/** Below the floors: kept releases, and the newest transition of each two; an older one of the same ends is never served again. */
function keepByReference(entries: readonly EntryHead[], releases: ReadonlySet<Digest>, kept: Set<number>): void {
  const seen = new Set<string>();
  for (const entry of entries.toReversed()) {
    if (entry.kind === "release" && releases.has(entry.id)) kept.add(entry.n);
    if (entry.kind !== "transition") continue;
    if (entry.from === null || entry.to === null) kept.add(entry.n);
    else if (releases.has(entry.from) && releases.has(entry.to) && !seen.has(entry.from + entry.to)) {
      seen.add(entry.from + entry.to);
      kept.add(entry.n);
    }
  }
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

/** By `n`; null: not readable. */
type Assigns = ReadonlyMap<number, Assign | null>;

/** Newest first down to the one that speaks to every target; older ones are overtaken for all. */
function followedAssigns(entries: readonly EntryHead[], assigns: Assigns): EntryHead[] {
  const out: EntryHead[] = [];
  for (const entry of entries.toReversed()) {
    if (entry.kind !== "assign") continue;
    out.push(entry);
    if (assigns.get(entry.n)?.targets.kind === "all") break;
  }
  return out;
}

/** For each of the newest releases, the entry that speaks of it first: an assign that goes back to an old one makes it no newer. */
function newestMentions(entries: readonly EntryHead[], assigns: Assigns, count: number): EntryHead[] {
  const first = new Map<Digest, EntryHead>();
  for (const entry of entries) {
    const release = mentioned(entry, assigns);
    if (release !== undefined && !first.has(release)) first.set(release, entry);
  }
  return [...first.values()].slice(-count);
}

function mentioned(entry: EntryHead, assigns: Assigns): Digest | undefined {
  return entry.kind === "release" ? entry.id : assigns.get(entry.n)?.release;
}

/** What a followed assign leads to; every digest in it, if it cannot be read. */
function revertsTo(assign: Assign | null | undefined, payload: string): readonly Digest[] {
  return assign === null || assign === undefined ? digestsIn(decode(payload)) : [assign.release, ...assign.revertTo];
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

/** Digests looked at between two yields. */
const sliceDigests = 200;

function* reach(source: RetentionSource, kept: ReadonlySet<number>): Generator<void, Set<Digest>, void> {
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
  for (let digest = queue.pop(), done = 1; digest !== undefined; digest = queue.pop(), done++) {
    if (done % sliceDigests === 0) yield;
    const directory = source.directory(digest);
    if (directory !== null) mark(directory);
  }
  return marked;
}

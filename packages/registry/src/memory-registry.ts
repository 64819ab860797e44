import { randomBytes } from "node:crypto";
import type { AppendRequest, AppendResult, Blob, Cursor, Digest, LogEntry, ReadResult, Registry, Report, RetentionResult } from "@midflight/protocol";
import { parseAppendRequest } from "./append-request.ts";
import { checkBlobs } from "./check-blobs.ts";
import { checkReport, clampLimit } from "./check-report.ts";
import { systemClock, type Clock } from "./clock.ts";
import { blobGraceMs, maxBlobBytes, maxPageBytes, maxPageEntries, maxReportsPerChannel } from "./limits.ts";
import { Pokes } from "./pokes.ts";
import { Presence } from "./presence.ts";
import { directoryStart, planRetention, type EntryHead } from "./retention-plan.ts";

interface Held extends EntryHead {
  readonly entry: LogEntry;
}

interface Channel {
  last: number;
  floor: number;
  entries: Held[];
}

/** A registry in plain maps, for tests and for reading: what a backend has to do, in the fewest words. Passes the conformance suite. */
export function openMemoryRegistry(options: { readonly clock?: Clock } = {}): Registry {
  const { clock = systemClock } = options;
  const epoch = randomBytes(8).toString("hex");
  const channels = new Map<string, Channel>();
  const blobs = new Map<Digest, { readonly bytes: Uint8Array; storedAt: number }>();
  const reports = new Map<string, Report>();
  const presence = new Presence(clock);
  const pokes = new Pokes();
  let n = 0;

  const cursor = (seq: number): Cursor => ({ epoch, seq });
  const all = (): Held[] => [...channels.values()].flatMap((c) => c.entries).toSorted((a, b) => a.n - b.n);
  const missing = (digests: readonly Digest[]): Digest[] => [...new Set(digests)].filter((d) => !blobs.has(d));
  const head = (channel: string): LogEntry | null => channels.get(channel)?.entries.findLast((e) => e.kind === "assign")?.entry ?? null;
  const lastRelease = (channel: string): Digest | null => channels.get(channel)?.entries.findLast((e) => e.kind === "release")?.id ?? null;

  const findRepeated = ({ channel, entries }: AppendRequest): Held | null => {
    const held = channels.get(channel)?.entries ?? [];
    for (const start of held.filter((e) => e.seq === e.batch && e.id === entries[0]?.id)) {
      const batch = held.filter((e) => e.batch === start.batch);
      if (batch.length === entries.length && batch.every((e, i) => e.id === entries[i]?.id)) return batch.at(-1) ?? null;
    }
    return null;
  };

  // A copy: what a caller does to its buffer later must not change what is stored.
  const put = (list: readonly Blob[]): void => list.forEach(({ digest, bytes }) => blobs.set(digest, { bytes: Uint8Array.from(bytes), storedAt: clock.now() }));

  const append = (request: AppendRequest): AppendResult => {
    const repeated = findRepeated(request);
    if (repeated !== null) return { kind: "appended", cursor: repeated.entry.cursor, repeated: true };
    const { enclosed = [] } = request;
    const brought = new Set(enclosed.map(({ digest }) => digest));
    const absent = missing(request.needs.filter((digest) => !brought.has(digest)));
    if (absent.length > 0) return { kind: "blobs-missing", missing: absent };
    const now = head(request.channel);
    if ((now?.id ?? null) !== request.expect) return { kind: "head-moved", head: now };
    if (request.lastRelease !== undefined && lastRelease(request.channel) !== request.lastRelease) return { kind: "head-moved", head: now };
    put(enclosed);
    const channel = channels.get(request.channel) ?? { last: 0, floor: 0, entries: [] };
    channels.set(request.channel, channel);
    const at = new Date(clock.now()).toISOString();
    const batch = channel.last + 1;
    for (const entry of request.entries) {
      const seq = ++channel.last;
      const { kind, id, from = null, to = null } = entry;
      channel.entries.push({ n: ++n, channel: request.channel, kind, id, from, to, seq, batch, entry: { ...entry, cursor: cursor(seq), at } });
    }
    return { kind: "appended", cursor: cursor(channel.last), repeated: false };
  };

  const read = (name: string, after: Cursor | null, limit: number): ReadResult => {
    const { last, floor, entries } = channels.get(name) ?? { last: 0, floor: 0, entries: [] };
    const gap = after !== null && (after.epoch !== epoch || after.seq < floor || after.seq > last);
    const start = after === null || gap ? floor : after.seq;
    const rest = entries.filter((e) => e.seq > start).map((e) => e.entry);
    let bytes = 0;
    const isFull = (entry: LogEntry, at: number): boolean => at > 0 && (at >= limit || (bytes += entry.envelope.payload.length) > maxPageBytes);
    const end = rest.findIndex(isFull);
    const page = end === -1 ? rest : rest.slice(0, end);
    return { entries: page, next: end === -1 ? cursor(last) : (page.at(-1)?.cursor ?? cursor(start)), isEnd: end === -1, gap };
  };

  const retain = (keepReleases: number): RetentionResult => {
    const before = all();
    const planning = planRetention({
      entries: before,
      payload: (entry) => before.find((e) => e.n === entry.n)?.entry.envelope.payload ?? "",
      directory: (digest) => {
        const text = Buffer.from(blobs.get(digest)?.bytes ?? []).toString("latin1");
        return text.startsWith(directoryStart) ? text : null;
      },
    }, keepReleases, presence.running());
    let step = planning.next();
    while (step.done !== true) step = planning.next();
    const plan = step.value;
    for (const [name, channel] of channels) {
      channel.floor = Math.max(channel.floor, plan.floors.get(name) ?? 0);
      channel.entries = channel.entries.filter((e) => plan.entries.has(e.n));
    }
    let removedBlobs = 0;
    let removedBytes = 0;
    for (const [digest, { bytes, storedAt }] of blobs) {
      if (plan.digests.has(digest) || storedAt > clock.now() - blobGraceMs) continue;
      blobs.delete(digest);
      removedBlobs++;
      removedBytes += bytes.length;
    }
    return { removedEntries: before.length - plan.entries.size, removedBlobs, removedBytes };
  };

  return {
    caps: { durability: "memory", maxBlobBytes },
    missing: async (digests) => missing(digests),
    putBlobs: async (list) => {
      checkBlobs(list);
      put(list);
    },
    getBlobs: async (digests) => [...new Set(digests)].flatMap((digest): Blob[] => {
      const blob = blobs.get(digest);
      return blob === undefined ? [] : [{ digest, bytes: blob.bytes }];
    }),
    append: async (value) => {
      const request = parseAppendRequest(value);
      const result = append(request);
      if (result.kind === "appended" && !result.repeated) pokes.poke(request, result.cursor);
      return result;
    },
    head: async (channel) => head(channel),
    read: async (channel, after, limit) => read(channel, after, clampLimit(limit, maxPageEntries, maxPageEntries)),
    entry: async (id) => all().findLast((e) => e.id === id)?.entry ?? null,
    transition: async (from, to) => all().findLast((e) => e.kind === "transition" && e.from === from && e.to === to)?.entry ?? null,
    channels: async () => [...channels.keys()].toSorted(),
    onPoke: (channel, poke) => pokes.on(channel, poke),
    report: async (list) => {
      for (const { report } of list.map(checkReport)) {
        if (reports.has(report.id)) continue;
        reports.set(report.id, report);
        const own = [...reports.values()].filter((r) => r.channel === report.channel);
        for (const old of own.slice(0, -maxReportsPerChannel)) reports.delete(old.id);
      }
    },
    reports: async ({ channel, release, counter, limit }) => [...reports.values()].toReversed()
      .filter((r) => r.channel === channel && (release === undefined || r.outcome.release === release) && (counter === undefined || r.counter === counter))
      .slice(0, clampLimit(limit, 1_000, maxReportsPerChannel)),
    beat: async (beat, ttlMs) => {
      presence.beat(beat, ttlMs);
    },
    presence: async (channel) => presence.of(channel),
    retain: async ({ keepReleases }) => retain(clampLimit(keepReleases, 1, Number.MAX_SAFE_INTEGER)),
    close: async () => pokes.clear(),
  };
}

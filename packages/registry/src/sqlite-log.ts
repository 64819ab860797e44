import type { DatabaseSync, StatementSync } from "node:sqlite";
import type { AppendRequest, AppendResult, Cursor, Digest, Envelope, LogEntry, ReadResult } from "@midflight/protocol";
import type { Clock } from "./clock.ts";
import { maxPageBytes } from "./limits.ts";
import type { EntryRow } from "./entry-row.ts";
import { firstLink, linkOf } from "./log-chain.ts";

interface ChannelRow {
  readonly last_seq: number;
  readonly last_link: Uint8Array;
  readonly floor_seq: number;
  readonly head_seq: number | null;
}

const emptyChannel: ChannelRow = { last_seq: 0, last_link: firstLink, floor_seq: 0, head_seq: null };

/** The channels' logs in SQLite. Every method is synchronous; `append` must be called in a transaction. */
export class SqliteLog {
  readonly epoch: string;
  readonly #clock: Clock;
  readonly #channel: StatementSync;
  readonly #channels: StatementSync;
  readonly #setChannel: StatementSync;
  readonly #insert: StatementSync;
  readonly #bySeq: StatementSync;
  readonly #after: StatementSync;
  readonly #batchStarts: StatementSync;
  readonly #batchIds: StatementSync;
  readonly #lastRelease: StatementSync;
  readonly #byId: StatementSync;
  readonly #byEnds: StatementSync;

  constructor(db: DatabaseSync, clock: Clock) {
    this.#clock = clock;
    this.epoch = String(db.prepare("SELECT value FROM meta WHERE key = 'epoch'").get()?.["value"]);
    this.#channel = db.prepare("SELECT last_seq, last_link, floor_seq, head_seq FROM channels WHERE name = ?");
    this.#channels = db.prepare("SELECT name FROM channels ORDER BY name");
    this.#setChannel = db.prepare(`INSERT INTO channels(name, last_seq, last_link, floor_seq, head_seq) VALUES(?, ?, ?, ?, ?)
      ON CONFLICT(name) DO UPDATE SET last_seq = excluded.last_seq, last_link = excluded.last_link, head_seq = excluded.head_seq`);
    this.#insert = db.prepare(`INSERT INTO entries(channel, seq, batch, kind, id, from_id, to_id, at, previous, link, envelope)
      VALUES(?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)`);
    this.#bySeq = db.prepare("SELECT * FROM entries WHERE channel = ? AND seq = ?");
    this.#after = db.prepare("SELECT * FROM entries WHERE channel = ? AND seq > ? ORDER BY seq LIMIT ?");
    this.#batchStarts = db.prepare("SELECT seq FROM entries WHERE channel = ? AND id = ? AND seq = batch ORDER BY seq DESC");
    this.#batchIds = db.prepare("SELECT seq, id FROM entries WHERE channel = ? AND batch = ? ORDER BY seq");
    this.#lastRelease = db.prepare("SELECT id FROM entries WHERE channel = ? AND kind = 'release' ORDER BY seq DESC LIMIT 1");
    this.#byId = db.prepare("SELECT * FROM entries WHERE id = ? ORDER BY n DESC LIMIT 1");
    this.#byEnds = db.prepare("SELECT * FROM entries WHERE kind = 'transition' AND from_id = ? AND to_id = ? ORDER BY n DESC LIMIT 1");
  }

  /** The append alone, compare-and-set included; that blobs are there is the caller's to check before. */
  append({ channel, expect, lastRelease, entries }: AppendRequest): Exclude<AppendResult, { kind: "blobs-missing" }> {
    const repeated = this.findRepeated(channel, entries.map((e) => e.id));
    if (repeated !== null) return { kind: "appended", cursor: repeated, repeated: true };
    const head = this.head(channel);
    if ((head?.id ?? null) !== expect) return { kind: "head-moved", head };
    if (lastRelease !== undefined && this.#readLastRelease(channel) !== lastRelease) return { kind: "head-moved", head };
    const before = this.#readChannel(channel) ?? emptyChannel;
    const batch = before.last_seq + 1;
    const at = new Date(this.#clock.now()).toISOString();
    let seq = before.last_seq;
    let link = before.last_link;
    let headSeq = before.head_seq;
    for (const entry of entries) {
      seq++;
      const row = { seq, kind: entry.kind, id: entry.id, from_id: entry.from ?? null, to_id: entry.to ?? null, envelope: JSON.stringify(entry.envelope) };
      const previous = link;
      link = linkOf(previous, row);
      this.#insert.run(channel, seq, batch, row.kind, row.id, row.from_id, row.to_id, at, previous, link, row.envelope);
      if (entry.kind === "assign") headSeq = seq;
    }
    this.#setChannel.run(channel, seq, link, before.floor_seq, headSeq);
    return { kind: "appended", cursor: this.#cursor(seq), repeated: false };
  }

  /** Where these very entries were appended together already; null if they were not. */
  findRepeated(channel: string, ids: readonly Digest[]): Cursor | null {
    for (const start of this.#batchStarts.all(channel, ids[0] ?? "")) {
      const rows = this.#batchIds.all(channel, start["seq"] ?? 0);
      if (rows.length === ids.length && rows.every((row, i) => row["id"] === ids[i])) return this.#cursor(Number(rows.at(-1)?.["seq"]));
    }
    return null;
  }

  head(channel: string): LogEntry | null {
    const headSeq = this.#readChannel(channel)?.head_seq ?? null;
    return headSeq === null ? null : this.#asEntry(this.#bySeq.get(channel, headSeq));
  }

  read(channel: string, after: Cursor | null, limit: number): ReadResult {
    const { last_seq, floor_seq } = this.#readChannel(channel) ?? emptyChannel;
    const gap = after !== null && (after.epoch !== this.epoch || after.seq < floor_seq || after.seq > last_seq);
    const entries: LogEntry[] = [];
    let bytes = 0;
    let seq = after === null || gap ? floor_seq : after.seq;
    let isEnd = true;
    // One row more than asked for tells whether this is the end.
    for (const row of this.#after.iterate(channel, seq, limit + 1)) {
      const { envelope } = row as unknown as EntryRow;
      if (entries.length === limit || (entries.length > 0 && bytes + envelope.length > maxPageBytes)) {
        isEnd = false;
        break;
      }
      bytes += envelope.length;
      const entry = this.#asEntry(row);
      if (entry !== null) entries.push(entry);
      seq = entry?.cursor.seq ?? seq;
    }
    return { entries, next: this.#cursor(isEnd ? last_seq : seq), isEnd, gap };
  }

  entry(id: Digest): LogEntry | null {
    return this.#asEntry(this.#byId.get(id));
  }

  transition(from: Digest, to: Digest): LogEntry | null {
    return this.#asEntry(this.#byEnds.get(from, to));
  }

  channels(): readonly string[] {
    return this.#channels.all().map((row) => String(row["name"]));
  }

  #readChannel(channel: string): ChannelRow | undefined {
    return this.#channel.get(channel) as unknown as ChannelRow | undefined;
  }

  #readLastRelease(channel: string): Digest | null {
    return (this.#lastRelease.get(channel)?.["id"] as Digest | undefined) ?? null;
  }

  #cursor(seq: number): Cursor {
    return { epoch: this.epoch, seq };
  }

  #asEntry(value: unknown): LogEntry | null {
    if (value === undefined) return null;
    const row = value as EntryRow;
    return {
      cursor: this.#cursor(row.seq),
      kind: row.kind,
      id: row.id,
      envelope: JSON.parse(row.envelope) as Envelope,
      ...(row.from_id !== null && { from: row.from_id }),
      ...(row.to_id !== null && { to: row.to_id }),
      at: row.at,
    };
  }
}

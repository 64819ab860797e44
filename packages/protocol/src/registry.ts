import type { Digest } from "./digest.ts";
import type { Envelope } from "./envelope.ts";
import type { Beat, Report } from "./report.ts";
import type { StatementKind } from "./statement.ts";

/** A place in a channel's log. `epoch` is the log's identity and changes when the store is created anew. */
export interface Cursor {
  readonly epoch: string;
  readonly seq: number;
}

/** One signed object in a channel's log. `id` is the SHA-256 of the decoded payload. */
export interface LogEntry {
  readonly cursor: Cursor;
  readonly kind: StatementKind;
  readonly id: Digest;
  readonly envelope: Envelope;
  /** For a transition: its two ends, so that it can be found without parsing the payload. Hints only; the payload is the truth. */
  readonly from?: Digest;
  readonly to?: Digest;
  /** ISO 8601, by the registry's clock. */
  readonly at: string;
}

export interface AppendRequest {
  readonly channel: string;
  /** Id of the assign that must be the channel's newest; null: there must be none. */
  readonly expect: Digest | null;
  /** Id of the release that must be the channel's newest; null: there must be none. It keeps numbers apart. Default: any. */
  readonly lastRelease?: Digest | null;
  /** Appended together or not at all, in this order. */
  readonly entries: readonly Omit<LogEntry, "cursor" | "at">[];
  /** Blobs that must be there already, or be enclosed. */
  readonly needs: readonly Digest[];
  /** Blobs that are stored together with the entries, or not at all; `maxEnclosedBytes` of them at most. Default: none. */
  readonly enclosed?: readonly Blob[];
}

export type AppendResult =
  /** `repeated`: the very same entries were the last append already. */
  | { readonly kind: "appended"; readonly cursor: Cursor; readonly repeated: boolean }
  | { readonly kind: "head-moved"; readonly head: LogEntry | null }
  | { readonly kind: "blobs-missing"; readonly missing: readonly Digest[] };

export interface ReadResult {
  readonly entries: readonly LogEntry[];
  /** Read on from here. */
  readonly next: Cursor;
  /** True if this was all there is. */
  readonly isEnd: boolean;
  /** Set when the cursor's place is gone (retention, another epoch): entries start at the oldest kept one. */
  readonly gap: boolean;
}

export interface Blob {
  readonly digest: Digest;
  readonly bytes: Uint8Array;
}

/** What one append to a channel had enclosed. */
export interface Enclosure {
  /** The place that the append began after. */
  readonly after: Cursor;
  /** The place of its last entry. */
  readonly next: Cursor;
  readonly blobs: readonly Blob[];
}

export interface RetentionPolicy {
  /** How many newest releases per channel are kept with everything they need. */
  readonly keepReleases: number;
}

export interface RetentionResult {
  readonly removedEntries: number;
  readonly removedBlobs: number;
  readonly removedBytes: number;
}

export interface ReportQuery {
  readonly channel: string;
  readonly release?: Digest;
  readonly counter?: number;
  /** Newest first. Default: 1,000. */
  readonly limit?: number;
}

/**
 * Stores blobs and channels. A notification is only a hint; the truth is always `read` after a cursor.
 * Every backend passes the same conformance suite (`@midflight/registry/conformance`).
 */
export interface Registry {
  readonly caps: { readonly durability: "fsync" | "replicated" | "memory"; readonly maxBlobBytes: number };
  /** Which of these blobs are not stored. */
  missing(digests: readonly Digest[]): Promise<readonly Digest[]>;
  /** Stores blobs, checking each digest. Idempotent. @throws MidflightError `ARTIFACT_DIGEST_MISMATCH`, `OBJECT_TOO_LARGE`, `DISK_FULL` */
  putBlobs(blobs: readonly Blob[]): Promise<void>;
  /** The blobs that are stored, in any order; those that are not are left out. */
  getBlobs(digests: readonly Digest[]): Promise<readonly Blob[]>;
  /**
   * The commit point: one atomic compare-and-set append, with the blobs that are enclosed.
   * @throws MidflightError `OBJECT_INVALID`, `OBJECT_TOO_LARGE`, `ARTIFACT_DIGEST_MISMATCH`, `DISK_FULL`
   */
  append(request: AppendRequest): Promise<AppendResult>;
  /** The channel's newest assign. */
  head(channel: string): Promise<LogEntry | null>;
  /** Entries after `after` (null: from the oldest kept). */
  read(channel: string, after: Cursor | null, limit: number): Promise<ReadResult>;
  /** One object by id, from any channel. */
  entry(id: Digest): Promise<LogEntry | null>;
  /** The newest transition from one release to another. */
  transition(from: Digest, to: Digest): Promise<LogEntry | null>;
  channels(): Promise<readonly string[]>;
  /** Calls `poke` soon after an append to the channel, perhaps with what it had enclosed. May call too often, may miss one. Returns an unsubscribe. */
  onPoke(channel: string, poke: (enclosure?: Enclosure) => void): () => void;
  report(reports: readonly Report[]): Promise<void>;
  reports(query: ReportQuery): Promise<readonly Report[]>;
  beat(beat: Beat, ttlMs: number): Promise<void>;
  presence(channel: string): Promise<readonly Beat[]>;
  retain(policy: RetentionPolicy): Promise<RetentionResult>;
  close(): Promise<void>;
}

/** How an entry is found by a reader that wants to go on from the same place later: `epoch:seq`. */
export function formatCursor(cursor: Cursor): string {
  return `${cursor.epoch}:${cursor.seq}`;
}

export function parseCursor(text: string): Cursor | null {
  const match = /^([0-9A-Za-z-]{1,64}):(\d{1,15})$/.exec(text);
  return match === null ? null : { epoch: match[1]!, seq: Number(match[2]) };
}

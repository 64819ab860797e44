import { randomBytes } from "node:crypto";
import { closeSync, openSync } from "node:fs";
import { DatabaseSync } from "node:sqlite";
import { MidflightError } from "@midflight/protocol";
import { latestPages } from "./checkpoint.ts";

const format = 1;

/**
 * `entries` is append-only: a trigger refuses every update, and only retention deletes. `link` chains each entry to
 * the one before it, and `channels` holds the end of the chain, so that a missing or changed entry shows (log-chain.ts).
 * The log begins after `floor_seq`; entries at or below it are objects that are only found by id.
 */
const schema = `
CREATE TABLE meta(key TEXT PRIMARY KEY, value TEXT NOT NULL) STRICT, WITHOUT ROWID;
CREATE TABLE channels(
  name TEXT PRIMARY KEY, last_seq INTEGER NOT NULL, last_link BLOB NOT NULL, floor_seq INTEGER NOT NULL, head_seq INTEGER
) STRICT, WITHOUT ROWID;
CREATE TABLE entries(
  n INTEGER PRIMARY KEY, channel TEXT NOT NULL, seq INTEGER NOT NULL, batch INTEGER NOT NULL, kind TEXT NOT NULL, id TEXT NOT NULL,
  from_id TEXT, to_id TEXT, at TEXT NOT NULL, previous BLOB NOT NULL, link BLOB NOT NULL, envelope TEXT NOT NULL,
  UNIQUE(channel, seq)
) STRICT;
CREATE INDEX entries_by_id ON entries(id);
CREATE INDEX entries_by_ends ON entries(from_id, to_id) WHERE kind = 'transition';
CREATE TRIGGER entries_append_only BEFORE UPDATE ON entries BEGIN SELECT RAISE(ABORT, 'the log is append-only'); END;
CREATE TABLE blobs(digest TEXT PRIMARY KEY, stored_at INTEGER NOT NULL, bytes BLOB NOT NULL) STRICT;
CREATE TABLE reports(
  n INTEGER PRIMARY KEY, id TEXT NOT NULL UNIQUE, channel TEXT NOT NULL, release TEXT NOT NULL, counter INTEGER NOT NULL, report TEXT NOT NULL
) STRICT;
CREATE INDEX reports_by_channel ON reports(channel, n);
CREATE TABLE running(agent TEXT PRIMARY KEY, boot TEXT, live TEXT, seen_at INTEGER NOT NULL) STRICT, WITHOUT ROWID;
`;

export interface OpenOptions {
  /** A file, or ":memory:". */
  readonly path: string;
  /** The file never grows beyond this; a write that would is refused with `DISK_FULL`. Default: no limit of its own. */
  readonly maxBytes?: number;
}

/** Opens the file, or makes it. Every commit is on disk before it is answered (WAL, synchronous=FULL). */
export function openDatabase({ path, maxBytes }: OpenOptions): DatabaseSync {
  // A new file is for its owner only: it holds the app's code. SQLite gives its side files the same mode.
  if (path !== ":memory:") closeSync(openSync(path, "a", 0o600));
  const db = new DatabaseSync(path);
  try {
    // auto_vacuum can only be chosen before the first table.
    db.exec("PRAGMA busy_timeout=2000; PRAGMA auto_vacuum=INCREMENTAL; PRAGMA journal_mode=WAL; PRAGMA synchronous=FULL; PRAGMA journal_size_limit=67108864; PRAGMA trusted_schema=OFF");
    db.exec(`PRAGMA wal_autocheckpoint=${latestPages}`);
    if (maxBytes !== undefined) {
      const pageBytes = readNumber(db, "PRAGMA page_size");
      db.exec(`PRAGMA max_page_count=${Math.max(1, Math.floor(maxBytes / pageBytes))}`);
    }
    prepareSchema(db, path);
    return db;
  } catch (cause) {
    db.close();
    throw cause;
  }
}

function prepareSchema(db: DatabaseSync, path: string): void {
  const found = readNumber(db, "PRAGMA user_version");
  if (found === format) return;
  if (found > format) {
    throw new MidflightError("REGISTRY_REFUSED", {
      what: `The registry's file ${path} was written by a newer midflight.`,
      why: `It has format ${found}; this version knows ${format}.`,
      state: "The file was left as it is.",
      fix: ["Use the newer version."],
    });
  }
  // In one transaction: a kill in between leaves no half-made store.
  db.exec("BEGIN IMMEDIATE");
  try {
    if (readNumber(db, "PRAGMA user_version") === 0) {
      db.exec(schema);
      db.prepare("INSERT INTO meta VALUES('epoch', ?)").run(randomBytes(8).toString("hex"));
      db.exec(`PRAGMA user_version=${format}`);
    }
    db.exec("COMMIT");
  } catch (cause) {
    rollBack(db);
    throw cause;
  }
}

export function readNumber(db: DatabaseSync, sql: string): number {
  const row = db.prepare(sql).get();
  const value = row === undefined ? undefined : Object.values(row)[0];
  return typeof value === "number" ? value : 0;
}

/** Runs `work` in one transaction: all of it is kept, or nothing. */
export function inTransaction<T>(db: DatabaseSync, work: () => T): T {
  db.exec("BEGIN IMMEDIATE");
  try {
    const result = work();
    db.exec("COMMIT");
    return result;
  } catch (cause) {
    rollBack(db);
    throw cause;
  }
}

function rollBack(db: DatabaseSync): void {
  try {
    db.exec("ROLLBACK");
  } catch {
    // SQLite has rolled back by itself already, as it does when the disk is full
  }
}

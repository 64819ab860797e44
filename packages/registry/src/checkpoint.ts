import type { DatabaseSync } from "node:sqlite";

/** What SQLite would have a commit wait for: a log of this many pages. */
const duePages = 1_000;
/** SQLite still does it within a commit when the log has grown to this all the same: 64 MiB. */
export const latestPages = 16_384;
const pageBytes = 4_096;
/** Index and table pages that any commit writes anew, roughly. */
const pagesPerWrite = 8;
/** A large publish is over by then. */
const afterMs = 1_000;

/**
 * Moves what is committed from the write-ahead log to its place in the file, in a quiet moment. Within the commit it
 * would double the time of a large one; it is as safe on disk before as after.
 */
export class Checkpoint {
  readonly #db: DatabaseSync;
  readonly #afterMs: number;
  #pages = 0;
  #timer: NodeJS.Timeout | null = null;

  constructor(db: DatabaseSync, delayMs: number = afterMs) {
    this.#db = db;
    this.#afterMs = delayMs;
  }

  /** A write of about so many bytes was committed. */
  wrote(bytes: number): void {
    this.#pages += Math.ceil(bytes / pageBytes) + pagesPerWrite;
    if (this.#pages < duePages) return;
    this.#timer ??= setTimeout(() => this.#run(), this.#afterMs).unref();
  }

  close(): void {
    if (this.#timer !== null) clearTimeout(this.#timer);
    this.#timer = null;
  }

  #run(): void {
    this.#timer = null;
    this.#pages = 0;
    try {
      this.#db.exec("PRAGMA wal_checkpoint(PASSIVE)");
    } catch {
      // a full disk, say: the log stays as it is, and the next write tells of it
    }
  }
}

import type { DatabaseSync, StatementSync } from "node:sqlite";
import type { Blob, Digest } from "@midflight/protocol";
import type { Clock } from "./clock.ts";

/** Blobs by digest in SQLite. Every method is synchronous. */
export class SqliteBlobs {
  readonly #clock: Clock;
  readonly #has: StatementSync;
  readonly #get: StatementSync;
  readonly #put: StatementSync;

  constructor(db: DatabaseSync, clock: Clock) {
    this.#clock = clock;
    this.#has = db.prepare("SELECT 1 FROM blobs WHERE digest = ?");
    this.#get = db.prepare("SELECT bytes FROM blobs WHERE digest = ?");
    // Sent again, a blob counts as young again: its release may be on the way.
    this.#put = db.prepare("INSERT INTO blobs(digest, stored_at, bytes) VALUES(?, ?, ?) ON CONFLICT(digest) DO UPDATE SET stored_at = excluded.stored_at");
  }

  missing(digests: readonly Digest[]): readonly Digest[] {
    return [...new Set(digests)].filter((digest) => this.#has.get(digest) === undefined);
  }

  /** Stores blobs that were checked. Must be called in a transaction. */
  put(blobs: readonly Blob[]): void {
    const now = this.#clock.now();
    for (const { digest, bytes } of blobs) this.#put.run(digest, now, bytes);
  }

  get(digests: readonly Digest[]): readonly Blob[] {
    const blobs: Blob[] = [];
    for (const digest of new Set(digests)) {
      const bytes = this.#get.get(digest)?.["bytes"];
      if (bytes instanceof Uint8Array) blobs.push({ digest, bytes });
    }
    return blobs;
  }
}

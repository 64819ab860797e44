import { setImmediate } from "node:timers/promises";
import type { DatabaseSync } from "node:sqlite";
import type { Digest, RetentionResult } from "@midflight/protocol";
import { blobGraceMs } from "./limits.ts";
import { digestsIn, directoryStart, planRetention, type EntryHead } from "./retention-plan.ts";
import { inTransaction } from "./schema.ts";

export interface SweepOptions {
  readonly keepReleases: number;
  readonly running: ReadonlySet<Digest>;
  /** Epoch ms. */
  readonly now: number;
  /** Grows while the sweep goes on: digests that an append in between relies on. */
  readonly protectedDigests: Set<Digest>;
  readonly isStopped: () => boolean;
}

/** Blobs deleted in one go; between two goes the event loop is free. */
const sliceBlobs = 200;

/** Deletes what the plan does not keep: entries in one transaction, then blobs in slices. Killed in between, the next sweep goes on. */
export async function sweep(db: DatabaseSync, options: SweepOptions): Promise<RetentionResult> {
  const payload = db.prepare("SELECT json_extract(envelope, '$.payload') AS payload FROM entries WHERE n = ?");
  const start = db.prepare("SELECT substr(bytes, 1, 12) AS start FROM blobs WHERE digest = ?");
  const bytes = db.prepare("SELECT bytes FROM blobs WHERE digest = ?");
  const entries = db.prepare(`SELECT n, channel, seq, batch, kind, id, from_id AS "from", to_id AS "to" FROM entries ORDER BY n`).all() as unknown as EntryHead[];
  const plan = planRetention({
    entries,
    payload: (entry) => String(payload.get(entry.n)?.["payload"] ?? ""),
    directory: (digest) => {
      const head = start.get(digest)?.["start"];
      if (!(head instanceof Uint8Array) || Buffer.from(head).toString("latin1") !== directoryStart) return null;
      const whole = bytes.get(digest)?.["bytes"];
      return whole instanceof Uint8Array ? Buffer.from(whole).toString("latin1") : null;
    },
  }, options.keepReleases, options.running);
  const removedEntries = removeEntries(db, entries.filter((e) => !plan.entries.has(e.n)), plan.floors);
  const removed = await removeBlobs(db, plan.digests, options);
  db.exec("PRAGMA incremental_vacuum(2000)");
  return { removedEntries, ...removed };
}

function removeEntries(db: DatabaseSync, entries: readonly EntryHead[], floors: ReadonlyMap<string, number>): number {
  const raise = db.prepare("UPDATE channels SET floor_seq = max(floor_seq, ?) WHERE name = ?");
  const remove = db.prepare("DELETE FROM entries WHERE n = ?");
  inTransaction(db, () => {
    for (const [channel, floor] of floors) raise.run(floor, channel);
    for (const { n } of entries) remove.run(n);
  });
  return entries.length;
}

async function removeBlobs(db: DatabaseSync, kept: ReadonlySet<Digest>, options: SweepOptions): Promise<Omit<RetentionResult, "removedEntries">> {
  const young = options.now - blobGraceMs;
  const candidates = db.prepare("SELECT digest, length(bytes) AS size FROM blobs WHERE stored_at <= ?").all(young)
    .filter(({ digest }) => !kept.has(digest as Digest)) as unknown as { readonly digest: Digest; readonly size: number }[];
  const remove = db.prepare("DELETE FROM blobs WHERE digest = ? AND stored_at <= ?");
  let removedBlobs = 0;
  let removedBytes = 0;
  for (let at = 0; at < candidates.length && !options.isStopped(); at += sliceBlobs) {
    inTransaction(db, () => {
      for (const { digest, size } of candidates.slice(at, at + sliceBlobs)) {
        // Asked for or sent again since the plan was made: not ours to take any more.
        if (options.protectedDigests.has(digest) || remove.run(digest, young).changes === 0) continue;
        removedBlobs++;
        removedBytes += size;
      }
    });
    await setImmediate();
  }
  return { removedBlobs, removedBytes };
}

/** What an append during a sweep relies on. */
export function digestsNeeded(needs: readonly Digest[], envelopes: readonly { readonly payload: string }[]): Digest[] {
  return [...needs, ...envelopes.flatMap((e) => digestsIn(Buffer.from(e.payload, "base64").toString("latin1")))];
}

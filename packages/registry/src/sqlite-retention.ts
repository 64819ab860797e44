import { setImmediate } from "node:timers/promises";
import type { DatabaseSync } from "node:sqlite";
import type { Digest, RetentionResult } from "@midflight/protocol";
import { blobGraceMs } from "./limits.ts";
import { digestsIn, directoryStart, planRetention, type EntryHead, type RetentionPlan, type RetentionSource } from "./retention-plan.ts";
import { inTransaction } from "./schema.ts";

export interface SweepOptions {
  readonly keepReleases: number;
  /** Releases that processes run now. */
  readonly running: () => ReadonlySet<Digest>;
  /** Grows with everything that a plan depends on: appends, and processes that come or change. */
  readonly changes: () => number;
  /** Epoch ms. */
  readonly now: number;
  /** Grows while the sweep goes on: digests that an append in between relies on. */
  readonly protectedDigests: ReadonlySet<Digest>;
  readonly isStopped: () => boolean;
}

/** Blobs deleted in one go; between two goes the event loop is free. */
const sliceBlobs = 200;

/**
 * Deletes what the plan does not keep: entries in one transaction, then blobs in slices. Killed in between, the next
 * sweep goes on.
 */
export async function sweep(db: DatabaseSync, options: SweepOptions): Promise<RetentionResult> {
  const planned = await plan(db, options);
  if (planned === null) return { removedEntries: 0, removedBlobs: 0, removedBytes: 0 };
  const removedEntries = removeEntries(db, planned.entries, planned.plan);
  const removed = await removeBlobs(db, planned.plan.digests, options);
  db.exec("PRAGMA incremental_vacuum(2000)");
  return { removedEntries, ...removed };
}

interface Planned {
  readonly entries: readonly EntryHead[];
  readonly plan: RetentionPlan;
}

/** Plans in slices. What changes meanwhile voids the plan; the third one is made in one go. Null: told to stop. */
async function plan(db: DatabaseSync, options: SweepOptions): Promise<Planned | null> {
  for (let attempt = 1; ; attempt++) {
    const before = options.changes();
    const { entries, planning } = beginPlan(db, options);
    let step = planning.next();
    while (step.done !== true) {
      if (attempt < 3) await setImmediate();
      if (options.isStopped()) return null;
      step = planning.next();
    }
    if (options.changes() === before) return { entries, plan: step.value };
  }
}

function beginPlan(db: DatabaseSync, options: SweepOptions): { readonly entries: readonly EntryHead[]; readonly planning: ReturnType<typeof planRetention> } {
  const payload = db.prepare("SELECT json_extract(envelope, '$.payload') AS payload FROM entries WHERE n = ?");
  const directory = db.prepare("SELECT bytes FROM blobs WHERE digest = ? AND substr(bytes, 1, 12) = ?");
  const start = Buffer.from(directoryStart);
  const entries = db.prepare(`SELECT n, channel, seq, batch, kind, id, from_id AS "from", to_id AS "to" FROM entries ORDER BY n`).all() as unknown as EntryHead[];
  const source: RetentionSource = {
    entries,
    payload: (entry) => String(payload.get(entry.n)?.["payload"] ?? ""),
    directory: (digest) => {
      const bytes = directory.get(digest, start)?.["bytes"];
      return bytes instanceof Uint8Array ? Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length).toString("latin1") : null;
    },
  };
  return { entries, planning: planRetention(source, options.keepReleases, options.running()) };
}

function removeEntries(db: DatabaseSync, entries: readonly EntryHead[], { entries: kept, floors }: RetentionPlan): number {
  const raise = db.prepare("UPDATE channels SET floor_seq = max(floor_seq, ?) WHERE name = ?");
  const remove = db.prepare("DELETE FROM entries WHERE n = ?");
  const gone = entries.filter((e) => !kept.has(e.n));
  inTransaction(db, () => {
    for (const [channel, floor] of floors) raise.run(floor, channel);
    for (const { n } of gone) remove.run(n);
  });
  return gone.length;
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

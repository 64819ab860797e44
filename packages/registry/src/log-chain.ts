import { createHash } from "node:crypto";
import type { DatabaseSync } from "node:sqlite";
import type { EntryRow } from "./entry-row.ts";
import { damaged } from "./store-errors.ts";

/** What the first entry of a channel links to. */
export const firstLink: Uint8Array = new Uint8Array(32);

/** SHA-256 over the former link and all that an entry says; no field can hold a line feed or a space. */
export function linkOf(previous: Uint8Array, entry: Pick<EntryRow, "seq" | "kind" | "id" | "from_id" | "to_id" | "envelope">): Uint8Array {
  return createHash("sha256")
    .update(previous)
    .update(`${entry.seq} ${entry.kind} ${entry.id} ${entry.from_id ?? "-"} ${entry.to_id ?? "-"}\n`)
    .update(entry.envelope)
    .digest();
}

/** How many newest entries per channel are re-computed when a store is opened. */
const recomputed = 200;

/**
 * Proves that no channel's log lost or changed an entry since it was written: the log is without a
 * hole, the newest links hold, and the last is the one that the channel names.
 * @throws MidflightError `REGISTRY_STORE_DAMAGED`
 */
export function verifyChains(db: DatabaseSync, path: string): void {
  const channels = db.prepare("SELECT name, last_seq, last_link, floor_seq FROM channels").all() as unknown as ChannelEnd[];
  const count = db.prepare("SELECT count(*) AS held FROM entries WHERE channel = ? AND seq > ?");
  const newest = db.prepare("SELECT * FROM entries WHERE channel = ? ORDER BY seq DESC LIMIT ?");
  for (const { name, last_seq, last_link, floor_seq } of channels) {
    const held = Number(count.get(name, floor_seq)?.["held"]);
    if (held !== last_seq - floor_seq) throw damaged(path, `The log of channel ${name} should hold ${last_seq - floor_seq} entries after place ${floor_seq}, and holds ${held}.`);
    let expected: Uint8Array | null = held > 0 ? last_link : null;
    for (const row of newest.all(name, recomputed) as unknown as EntryRow[]) {
      const isLinked = expected === null || same(row.link, expected);
      if (!isLinked || !same(linkOf(row.previous, row), row.link)) throw damaged(path, `Entry ${row.seq} of channel ${name} was changed after it was written.`);
      expected = row.seq > floor_seq + 1 ? row.previous : null; // below the floor there are holes
    }
  }
}

interface ChannelEnd {
  readonly name: string;
  readonly last_seq: number;
  readonly last_link: Uint8Array;
  readonly floor_seq: number;
}

function same(a: Uint8Array, b: Uint8Array): boolean {
  return Buffer.compare(a, b) === 0;
}

import { readFile } from "node:fs/promises";
import { asRecord, parseEnvelope, type Envelope } from "@midflight/protocol";
import { writeDurably } from "./durable-file.ts";

/**
 * How this target came to run what it runs: kept so that a restart comes up on the live release while the registry is
 * away. It is only a hint where to look: the transition is verified again, and its blobs are found by their digests.
 */
export interface LiveRecord {
  readonly transition: Envelope;
}

export async function readLiveRecord(file: string): Promise<LiveRecord | null> {
  const text = await readFile(file, "utf8").catch(() => null);
  if (text === null) return null;
  try {
    const record = asRecord(JSON.parse(text), "live");
    return record["transition"] === null ? null : { transition: parseEnvelope(record["transition"]) };
  } catch {
    return null;
  }
}

/** Null: what is on disk is live. @throws MidflightError `DISK_FULL`, `FILE_UNREADABLE` */
export async function writeLiveRecord(file: string, record: LiveRecord | null): Promise<void> {
  await writeDurably(file, `${JSON.stringify({ version: 1, transition: record?.transition ?? null })}\n`);
}

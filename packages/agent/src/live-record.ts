import { readFile } from "node:fs/promises";
import { asRecord, parseEnvelope } from "@midflight/protocol";
import { writeDurably, writeDurablyNow } from "./durable-file.ts";
import type { Way } from "./fetch.ts";

/**
 * Reads how this target came to run what it runs: kept so that a restart comes up on the live release while the registry
 * is away. It is only a hint where to look: the way is verified again, and its blobs are found by their digests.
 */
export async function readLiveRecord(file: string): Promise<Way | null> {
  const text = await readFile(file, "utf8").catch(() => null);
  if (text === null) return null;
  try {
    const record = asRecord(JSON.parse(text), "live");
    if (record["way"] === null) return null;
    const way = asRecord(record["way"], "live.way");
    return { release: parseEnvelope(way["release"]), transition: parseEnvelope(way["transition"]) };
  } catch {
    return null;
  }
}

/** Null: what is on disk is live. @throws MidflightError `DISK_FULL`, `FILE_UNREADABLE` */
export async function writeLiveRecord(file: string, way: Way | null): Promise<void> {
  const text = encode(way);
  const before = await readFile(file, "utf8").catch(() => encode(null));
  // Most starts change nothing, and the app waits for this one.
  if (before !== text) await writeDurably(file, text);
}

export function writeLiveRecordNow(file: string, way: Way | null): void {
  writeDurablyNow(file, encode(way));
}

function encode(way: Way | null): string {
  return `${JSON.stringify({ version: 1, way })}\n`;
}

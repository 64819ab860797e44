import { hash } from "node:crypto";
import { asNullable, asRecord, formatCursor, parseEnclosed, paths, silenceMs, type Blob, type Cursor, type LogEntry } from "@midflight/protocol";
import { parseCursorObject, parseEntries, readAnswer } from "./answers.ts";
import type { Connection } from "./connection.ts";
import { readEvents } from "./read-events.ts";

/** What an event stream tells. Each is a hint; the truth is `read`. */
export type WatchEvent =
  /** The log grew from `after` to `next`. `entries` null: too much for an event, read it. `enclosed`: blobs that came with it, each with the digest it says. */
  | { readonly kind: "entries"; readonly after: Cursor | null; readonly next: Cursor; readonly entries: readonly LogEntry[] | null; readonly isEnd: boolean; readonly gap: boolean; readonly enclosed: readonly Blob[] }
  /** There is nothing after `next` yet. */
  | { readonly kind: "sync"; readonly next: Cursor };

export interface WatchPlace {
  /** "end": only what is new. */
  readonly after: Cursor | null | "end";
  /** Ask for what appends have enclosed. Default: false. */
  readonly wantsEnclosed?: boolean;
}

/** Events after a cursor, until the signal is aborted or the connection breaks, which throws. */
export async function* watch(connection: Connection, channel: string, { after, wantsEnclosed = false }: WatchPlace, signal: AbortSignal): AsyncGenerator<WatchEvent, void, void> {
  const place = after === null ? undefined : after === "end" ? after : formatCursor(after);
  const res = await connection.stream({ method: "GET", path: paths.watch, query: { channel, after: place, ...(wantsEnclosed && { enclosed: "true" }) }, signal, silenceMs });
  try {
    for await (const { event, data } of readEvents(res)) {
      const parsed = readAnswer({ event, data }, parseWatchEvent, (why) => connection.refused(why));
      if (parsed !== null) yield parsed;
    }
  } catch (cause) {
    throw signal.aborted ? signal.reason : cause;
  } finally {
    res.destroy();
  }
}

function parseWatchEvent(value: unknown): WatchEvent | null {
  const { event, data } = asRecord(value, "event");
  if (event !== "entry" && event !== "gap" && event !== "sync") return null; // a newer registry may send others
  const d = asRecord(JSON.parse(String(data)), "event.data");
  const next = parseCursorObject(d["next"]);
  if (event === "sync") return { kind: "sync", next };
  return {
    kind: "entries",
    after: asNullable(d["after"], parseCursorObject, "event.after"),
    next,
    entries: asNullable(d["entries"], parseEntries, "event.entries"),
    isEnd: d["isEnd"] === true,
    gap: event === "gap",
    enclosed: takeWhole(d["enclosed"]),
  };
}

/** What is spoiled or too much is left out: whoever needs it asks for it. */
function takeWhole(value: unknown): readonly Blob[] {
  if (value === undefined) return [];
  try {
    return parseEnclosed(value, (text) => Buffer.from(text, "base64")).filter(({ digest, bytes }) => digest === `sha256:${hash("sha256", bytes, "hex")}`);
  } catch {
    return [];
  }
}

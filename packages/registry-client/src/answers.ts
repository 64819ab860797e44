import {
  asArray, asCount, asNullable, asOneOf, asRecord, asString, invalid, isMidflightError, parseBeat, parseDigest, parseEnvelope, parseReport,
  type AppendResult, type Beat, type Cursor, type Digest, type LogEntry, type MidflightError, type ReadResult, type Report,
} from "@midflight/protocol";

// A registry is not trusted: whatever it answers is parsed before it is believed to have a form, and its signatures are
// verified by whoever obeys it. All of these throw `OBJECT_INVALID`.

export function parseCursorObject(value: unknown): Cursor {
  const c = asRecord(value, "cursor");
  return { epoch: asString(c["epoch"], "cursor.epoch", 64), seq: asCount(c["seq"], "cursor.seq") };
}

export function parseLogEntry(value: unknown): LogEntry {
  const e = asRecord(value, "entry");
  const from = asNullable(e["from"], parseDigest, "entry.from");
  const to = asNullable(e["to"], parseDigest, "entry.to");
  return {
    cursor: parseCursorObject(e["cursor"]),
    kind: asOneOf(e["kind"], ["release", "transition", "assign"], "entry.kind"),
    id: parseDigest(e["id"], "entry.id"),
    envelope: parseEnvelope(e["envelope"]),
    ...(from !== null && { from }),
    ...(to !== null && { to }),
    at: asString(e["at"], "entry.at", 40),
  };
}

export function parseEntries(value: unknown): LogEntry[] {
  return asArray(value, "entries", 10_000).map(parseLogEntry);
}

export function parseEntryOrNull(value: unknown): LogEntry | null {
  return value === null ? null : parseLogEntry(value);
}

export function parseReadResult(value: unknown): ReadResult {
  const r = asRecord(value, "page");
  return { entries: parseEntries(r["entries"]), next: parseCursorObject(r["next"]), isEnd: r["isEnd"] === true, gap: r["gap"] === true };
}

export function parseAppendResult(value: unknown): AppendResult {
  const r = asRecord(value, "answer");
  const kind = asOneOf(r["kind"], ["appended", "head-moved", "blobs-missing"], "answer.kind");
  switch (kind) {
    case "appended":
      return { kind, cursor: parseCursorObject(r["cursor"]), repeated: r["repeated"] === true };
    case "head-moved":
      return { kind, head: parseEntryOrNull(r["head"]) };
    case "blobs-missing":
      return { kind, missing: parseDigests(r["missing"]) };
  }
}

export function parseDigests(value: unknown): Digest[] {
  return asArray(value, "digests").map((digest) => parseDigest(digest, "digest"));
}

export function parseNames(value: unknown): string[] {
  return asArray(value, "channels").map((name) => asString(name, "channel", 200));
}

export function parseBeats(value: unknown): Beat[] {
  return asArray(value, "beats").map(parseBeat);
}

export function parseReports(value: unknown): Report[] {
  return asArray(value, "reports").map(parseReport);
}

/** Reads an answer; a form that is wrong is the registry's fault, and told so. */
export function readAnswer<T>(value: unknown, parse: (value: unknown) => T, refused: (why: string) => MidflightError): T {
  try {
    return parse(value);
  } catch (cause) {
    throw refused(isMidflightError(cause) ? cause.facts.what : "The answer has no known form.");
  }
}

/** For answers that only say that it was done. */
export function parseDone(value: unknown): void {
  if (typeof value !== "object") invalid("answer", "an object");
}

import {
  asArray, asNullable, asOneOf, asRecord, asString, checkEnclosedSize, invalid, maxEnclosedBlobs, maxPayloadBytes, MidflightError, parseDigest,
  parseEnvelope, sizeOf,
  type AppendRequest, type Blob,
} from "@midflight/protocol";
import { decodeBase64, sha256 } from "@midflight/trust";
import { checkBlobs } from "./check-blobs.ts";

/**
 * Checks all that a registry can check of an append: form, sizes, and that each id is the digest of its payload, and
 * each enclosed blob's its own. Signatures are not the registry's to judge; readers verify them.
 *
 * @throws MidflightError `OBJECT_INVALID`, `OBJECT_TOO_LARGE`, `ARTIFACT_DIGEST_MISMATCH`
 */
export function parseAppendRequest(value: unknown): AppendRequest {
  const request = asRecord(value, "append");
  const entries = asArray(request["entries"], "append.entries", 1_000);
  if (entries.length === 0) invalid("append.entries", "a list of at least one entry");
  return {
    channel: parseChannel(request["channel"]),
    expect: asNullable(request["expect"], parseDigest, "append.expect"),
    ...(request["lastRelease"] !== undefined && { lastRelease: asNullable(request["lastRelease"], parseDigest, "append.lastRelease") }),
    entries: entries.map(parseEntry),
    needs: asArray(request["needs"], "append.needs").map((digest) => parseDigest(digest, "append.needs")),
    ...(request["enclosed"] !== undefined && { enclosed: parseBlobs(request["enclosed"]) }),
  };
}

/** The same blobs in memory of their own: the caller may go on using his. */
function parseBlobs(value: unknown): readonly Blob[] {
  const blobs = asArray(value, "append.enclosed", maxEnclosedBlobs).map((item): Blob => {
    const { digest, bytes } = asRecord(item, "append.enclosed");
    if (!(bytes instanceof Uint8Array)) invalid("append.enclosed.bytes", "bytes");
    return { digest: parseDigest(digest, "append.enclosed.digest"), bytes };
  });
  checkEnclosedSize(sizeOf(blobs));
  const own = blobs.map(({ digest, bytes }) => ({ digest, bytes: Uint8Array.from(bytes) }));
  checkBlobs(own);
  return own;
}

/** @throws MidflightError `OBJECT_INVALID` */
export function parseChannel(value: unknown): string {
  const channel = asString(value, "channel", 200);
  // oxlint-disable-next-line no-control-regex -- control characters are what is refused
  if (channel === "" || /[\u0000-\u001f\u007f]/.test(channel)) invalid("channel", "a name of printable characters");
  return channel;
}

function parseEntry(value: unknown): AppendRequest["entries"][number] {
  const entry = asRecord(value, "entry");
  const id = parseDigest(entry["id"], "entry.id");
  const envelope = parseEnvelope(entry["envelope"]);
  const payload = decodeBase64(envelope.payload) ?? invalid("entry.envelope.payload", "canonical base64");
  if (payload.length > maxPayloadBytes) {
    throw new MidflightError("OBJECT_TOO_LARGE", `A payload of ${payload.length} bytes is over the limit of ${maxPayloadBytes}.`);
  }
  if (sha256(payload) !== id) invalid("entry.id", "the digest of its payload");
  const from = asNullable(entry["from"], parseDigest, "entry.from");
  const to = asNullable(entry["to"], parseDigest, "entry.to");
  return {
    kind: asOneOf(entry["kind"], ["release", "transition", "assign"], "entry.kind"),
    id,
    envelope,
    ...(from !== null && { from }),
    ...(to !== null && { to }),
  };
}

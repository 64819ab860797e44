import { parseDigest } from "./tree.ts";
import { MidflightError } from "./error.ts";
import { asArray, asRecord, invalid } from "./json.ts";
import type { Blob } from "./registry.ts";
import type { Digest } from "./digest.ts";

/** The bytes of all blobs that one append encloses; more of them are stored before it. */
export const maxEnclosedBytes: number = 256 << 10;
export const maxEnclosedBlobs = 1_000;

/** A blob as it travels in JSON: its bytes in canonical base64. */
export interface EnclosedBlob {
  readonly digest: Digest;
  readonly bytes: string;
}

export function sizeOf(blobs: readonly Blob[]): number {
  return blobs.reduce((sum, { bytes }) => sum + bytes.length, 0);
}

export function encodeEnclosed(blobs: readonly Blob[], encode: (bytes: Uint8Array) => string): readonly EnclosedBlob[] {
  return blobs.map(({ digest, bytes }) => ({ digest, bytes: encode(bytes) }));
}

/**
 * Reads blobs from JSON. Their size is known, and refused, before the first is decoded. Digests are for the caller to check.
 * @param decode null for what is no base64
 * @throws MidflightError `OBJECT_INVALID`, `OBJECT_TOO_LARGE`
 */
export function parseEnclosed(value: unknown, decode: (base64: string) => Uint8Array | null): readonly Blob[] {
  const list = asArray(value, "enclosed", maxEnclosedBlobs).map((item) => {
    const { digest, bytes } = asRecord(item, "enclosed");
    if (typeof bytes !== "string") invalid("enclosed.bytes", "base64");
    return { digest: parseDigest(digest, "enclosed.digest"), bytes };
  });
  checkEnclosedSize(list.reduce((sum, { bytes }) => sum + Math.floor((bytes.length * 3) / 4), 0) - 2 * list.length);
  return list.map(({ digest, bytes }) => ({ digest, bytes: decode(bytes) ?? invalid("enclosed.bytes", "base64") }));
}

/** @throws MidflightError `OBJECT_TOO_LARGE` */
export function checkEnclosedSize(bytes: number): void {
  if (bytes <= maxEnclosedBytes) return;
  throw new MidflightError("OBJECT_TOO_LARGE", {
    what: `Blobs of ${bytes} bytes are enclosed; the limit is ${maxEnclosedBytes}.`,
    state: "Nothing of it was kept.",
    details: { bytes, limit: maxEnclosedBytes },
  });
}

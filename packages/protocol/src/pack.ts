import type { Digest } from "./digest.ts";
import { MidflightError } from "./error.ts";
import type { Blob } from "./registry.ts";

/**
 * A pack carries many blobs in one body: per blob a frame of `u32 length | 32 bytes SHA-256 | bytes`, big endian.
 * One request per release instead of one per unit.
 */
export const frameHeaderBytes = 36;
export const maxPackBytes: number = 256 << 20;

const hexOf: readonly string[] = Array.from({ length: 256 }, (_, byte) => byte.toString(16).padStart(2, "0"));

export function encodePack(blobs: readonly Blob[]): Uint8Array {
  const out = new Uint8Array(blobs.reduce((sum, blob) => sum + frameHeaderBytes + blob.bytes.length, 0));
  const view = new DataView(out.buffer);
  let at = 0;
  for (const { digest, bytes } of blobs) {
    view.setUint32(at, bytes.length);
    for (let i = 0; i < 32; i++) out[at + 4 + i] = (nibbleOf(digest.charCodeAt(7 + i * 2)) << 4) | nibbleOf(digest.charCodeAt(8 + i * 2));
    out.set(bytes, at + frameHeaderBytes);
    at += frameHeaderBytes + bytes.length;
  }
  return out;
}

/** Of a lower-case hexadecimal digit. */
function nibbleOf(code: number): number {
  return code < 58 ? code - 48 : code - 87;
}

/**
 * Splits a pack. The blobs are views of `pack`, and each is said to be of its digest: whoever takes them checks that.
 * @throws MidflightError `PACK_MALFORMED`, `OBJECT_TOO_LARGE`
 */
export function decodePack(pack: Uint8Array): readonly Blob[] {
  if (pack.length > maxPackBytes) throw new MidflightError("OBJECT_TOO_LARGE", `A pack of ${pack.length} bytes is over the limit of ${maxPackBytes}.`);
  const view = new DataView(pack.buffer, pack.byteOffset, pack.byteLength);
  const blobs: Blob[] = [];
  for (let at = 0; at < pack.length; ) {
    if (at + frameHeaderBytes > pack.length) throw new MidflightError("PACK_MALFORMED", "A pack ends inside a frame's header.");
    const length = view.getUint32(at);
    const end = at + frameHeaderBytes + length;
    if (end > pack.length) throw new MidflightError("PACK_MALFORMED", "A pack ends inside a frame.");
    let digest: Digest = "sha256:";
    for (let i = at + 4; i < at + frameHeaderBytes; i++) digest += hexOf[pack[i]!]!;
    blobs.push({ digest, bytes: pack.subarray(at + frameHeaderBytes, end) });
    at = end;
  }
  return blobs;
}

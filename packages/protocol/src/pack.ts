import type { Digest, Hash } from "./digest.ts";
import { MidflightError } from "./error.ts";
import type { Blob } from "./registry.ts";

/**
 * A pack carries many blobs in one body: per blob a frame of `u32 length | 32 bytes SHA-256 | bytes`, big endian.
 * One request per release instead of one per unit.
 */
export const frameHeaderBytes = 36;
export const maxPackBytes: number = 256 << 20;

export function encodePack(blobs: readonly Blob[]): Uint8Array {
  const out = new Uint8Array(blobs.reduce((sum, blob) => sum + frameHeaderBytes + blob.bytes.length, 0));
  const view = new DataView(out.buffer);
  let at = 0;
  for (const { digest, bytes } of blobs) {
    view.setUint32(at, bytes.length);
    for (let i = 0; i < 32; i++) out[at + 4 + i] = Number.parseInt(digest.slice(7 + i * 2, 9 + i * 2), 16);
    out.set(bytes, at + frameHeaderBytes);
    at += frameHeaderBytes + bytes.length;
  }
  return out;
}

/**
 * Splits a pack and checks every digest. The blobs are views of `pack`.
 * @throws MidflightError `PACK_MALFORMED`, `ARTIFACT_DIGEST_MISMATCH`, `OBJECT_TOO_LARGE`
 */
export function decodePack(pack: Uint8Array, hash: Hash): readonly Blob[] {
  if (pack.length > maxPackBytes) throw new MidflightError("OBJECT_TOO_LARGE", `A pack of ${pack.length} bytes is over the limit of ${maxPackBytes}.`);
  const view = new DataView(pack.buffer, pack.byteOffset, pack.byteLength);
  const blobs: Blob[] = [];
  for (let at = 0; at < pack.length; ) {
    if (at + frameHeaderBytes > pack.length) throw new MidflightError("PACK_MALFORMED", "A pack ends inside a frame's header.");
    const length = view.getUint32(at);
    const end = at + frameHeaderBytes + length;
    if (end > pack.length) throw new MidflightError("PACK_MALFORMED", "A pack ends inside a frame.");
    let hex = "";
    for (let i = 0; i < 32; i++) hex += pack[at + 4 + i]!.toString(16).padStart(2, "0");
    const bytes = pack.subarray(at + frameHeaderBytes, end);
    const digest: Digest = `sha256:${hex}`;
    if (hash(bytes) !== digest) {
      throw new MidflightError("ARTIFACT_DIGEST_MISMATCH", { what: `A pack holds bytes that are not ${digest}.`, details: { digest } });
    }
    blobs.push({ digest, bytes });
    at = end;
  }
  return blobs;
}

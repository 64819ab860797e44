import { hash } from "node:crypto";
import { frameHeaderBytes, MidflightError, type Blob, type Digest } from "@midflight/protocol";

/**
 * Reads a pack while it arrives, checking each digest. Only blobs that were asked for are taken, each once, so what
 * arrives is bounded by what was asked.
 *
 * @throws MidflightError `PACK_MALFORMED`, `ARTIFACT_DIGEST_MISMATCH`, `OBJECT_TOO_LARGE`
 */
export async function readPack(chunks: AsyncIterable<Uint8Array>, asked: ReadonlySet<Digest>, maxBlobBytes: number): Promise<Blob[]> {
  const blobs: Blob[] = [];
  const open = new Set(asked);
  let pending: Buffer[] = [];
  let held = 0;
  let needed = frameHeaderBytes;
  for await (const chunk of chunks) {
    pending.push(Buffer.from(chunk.buffer, chunk.byteOffset, chunk.byteLength));
    held += chunk.length;
    if (held < needed) continue;
    let bytes = pending.length === 1 && pending[0] !== undefined ? pending[0] : Buffer.concat(pending);
    while (bytes.length >= frameHeaderBytes) {
      const length = bytes.readUInt32BE(0);
      if (length > maxBlobBytes) throw new MidflightError("OBJECT_TOO_LARGE", `A pack announces a blob of ${length} bytes; the limit is ${maxBlobBytes}.`);
      needed = frameHeaderBytes + length;
      if (bytes.length < needed) break;
      blobs.push(readFrame(bytes.subarray(0, needed), open));
      bytes = bytes.subarray(needed);
      needed = frameHeaderBytes;
    }
    pending = [bytes];
    held = bytes.length;
  }
  if (held > 0) throw new MidflightError("PACK_MALFORMED", { what: "A pack ends inside a frame.", retryable: true });
  return blobs;
}

function readFrame(frame: Buffer, open: Set<Digest>): Blob {
  const digest: Digest = `sha256:${frame.toString("hex", 4, frameHeaderBytes)}`;
  const bytes = frame.subarray(frameHeaderBytes);
  if (!open.delete(digest)) throw new MidflightError("PACK_MALFORMED", { what: "A pack holds a blob that was not asked for.", details: { digest } });
  if (digest !== `sha256:${hash("sha256", bytes, "hex")}`) throw new MidflightError("ARTIFACT_DIGEST_MISMATCH", { what: `A pack holds bytes that are not ${digest}.`, details: { digest } });
  return { digest, bytes };
}

import { MidflightError, parseDigest, type Blob } from "@midflight/protocol";
import { sha256 } from "@midflight/trust";
import { maxBlobBytes } from "./limits.ts";

/**
 * Checks blobs before any of them is stored.
 * @throws MidflightError `OBJECT_TOO_LARGE`, `ARTIFACT_DIGEST_MISMATCH`, `OBJECT_INVALID`
 */
export function checkBlobs(blobs: readonly Blob[]): void {
  for (const { digest, bytes } of blobs) {
    parseDigest(digest, "blob.digest");
    if (bytes.length > maxBlobBytes) {
      throw new MidflightError("OBJECT_TOO_LARGE", {
        what: `A blob of ${bytes.length} bytes is over the limit of ${maxBlobBytes}.`,
        details: { digest, bytes: bytes.length, limit: maxBlobBytes },
      });
    }
    if (sha256(bytes) !== digest) {
      throw new MidflightError("ARTIFACT_DIGEST_MISMATCH", {
        what: `A blob's bytes are not ${digest}.`,
        state: "None of the blobs sent with it was stored.",
        details: { digest },
      });
    }
  }
}

import { hash } from "node:crypto";
import type { Digest } from "@midflight/protocol";

/** SHA-256 of bytes; a string is hashed as UTF-8. The `Hash` that the other packages ask for. */
export function sha256(bytes: Uint8Array | string): Digest {
  return `sha256:${hash("sha256", bytes, "hex")}`;
}

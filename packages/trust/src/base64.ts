/**
 * Decodes canonical base64 (RFC 4648 §4, padded, no white space); null for anything else. One text per byte string,
 * so that an envelope cannot be re-spelled without changing its bytes.
 */
export function decodeBase64(text: string): Buffer | null {
  const bytes = Buffer.from(text, "base64");
  return bytes.toString("base64") === text ? bytes : null;
}

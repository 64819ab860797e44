/** SHA-256 of some bytes: `sha256:` and 64 lower-case hex digits. The only identity an artifact has. */
export type Digest = `sha256:${string}`;

/** Hashes bytes (a string is hashed as UTF-8). Passed in, because this package has no `node:crypto`. */
export type Hash = (bytes: Uint8Array | string) => Digest;

const pattern = /^sha256:[0-9a-f]{64}$/;

export function isDigest(value: unknown): value is Digest {
  return typeof value === "string" && pattern.test(value);
}

/** The first 12 hex digits, for people. */
export function shortDigest(digest: Digest): string {
  return digest.slice(7, 19);
}

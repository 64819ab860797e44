import { createHash, createPrivateKey, createPublicKey, generateKeyPairSync, type KeyObject } from "node:crypto";
import { MidflightError } from "@midflight/protocol";

/** An Ed25519 private key (RFC 8032). */
export interface SigningKey {
  /** Names the key everywhere: SHA-256 of the public key's SPKI DER, 64 hex digits. */
  readonly keyId: string;
  readonly privateKey: KeyObject;
}

export function generateSigningKey(): SigningKey {
  return fromPrivateKey(generateKeyPairSync("ed25519").privateKey);
}

/**
 * Reads a key from its PKCS#8 PEM form.
 * @throws MidflightError `KEY_MISSING` if the text holds no Ed25519 private key. The text is never part of the error.
 */
export function readSigningKey(pem: string): SigningKey {
  let privateKey: KeyObject;
  try {
    privateKey = createPrivateKey(pem);
  } catch {
    throw noKey(); // the cause is left out: it may quote the text
  }
  if (privateKey.asymmetricKeyType !== "ed25519") throw noKey();
  return fromPrivateKey(privateKey);
}

/** The PKCS#8 PEM form. A secret: write it with mode 0600, never log it. */
export function encodeSigningKey(key: SigningKey): string {
  return key.privateKey.export({ type: "pkcs8", format: "pem" }).toString();
}

/** SPKI DER of the public half. */
export function encodePublicKey(key: SigningKey): Buffer {
  return createPublicKey(key.privateKey).export({ type: "spki", format: "der" });
}

export function keyIdOf(spki: Uint8Array): string {
  return createHash("sha256").update(spki).digest("hex");
}

function fromPrivateKey(privateKey: KeyObject): SigningKey {
  const spki = createPublicKey(privateKey).export({ type: "spki", format: "der" });
  return { keyId: keyIdOf(spki), privateKey };
}

function noKey(): MidflightError {
  return new MidflightError("KEY_MISSING", {
    what: "The signing key cannot be read.",
    why: "The text is not an Ed25519 private key in PKCS#8 PEM form.",
  });
}

import { sign, verify } from "node:crypto";
import { isMidflightError, maxPayloadBytes, MidflightError, parseEnvelope, payloadType, type Digest, type Envelope, type Statement } from "@midflight/protocol";
import { decodeBase64 } from "./base64.ts";
import { sha256 } from "./hash.ts";
import type { SigningKey } from "./signing-key.ts";
import { readPublicKey, type TrustRole, type TrustRoot } from "./trust-root.ts";

/** Pre-Authentication Encoding: what is really signed. Source: secure-systems-lab/dsse, protocol.md. */
export function encodePae(type: string, payload: Uint8Array): Buffer {
  return Buffer.concat([Buffer.from(`DSSEv1 ${Buffer.byteLength(type)} ${type} ${payload.length} `), payload]);
}

/**
 * Signs a statement. `id` names it everywhere: the SHA-256 of the payload's bytes.
 * @throws MidflightError `OBJECT_TOO_LARGE`
 */
export function signStatement(statement: Statement, key: SigningKey): { readonly envelope: Envelope; readonly id: Digest } {
  const payload = Buffer.from(JSON.stringify(statement));
  if (payload.length > maxPayloadBytes) throw tooLarge(payload.length);
  const sig = sign(null, encodePae(payloadType, payload), key.privateKey).toString("base64");
  return {
    envelope: { payloadType, payload: payload.toString("base64"), signatures: [{ keyid: key.keyId, sig }] },
    id: sha256(payload),
  };
}

/**
 * Size, form, signature, role — and only then the payload's bytes are handed out for parsing, the very bytes that
 * were verified. Signatures by keys that the root does not know are ignored, as DSSE asks.
 *
 * @throws MidflightError `OBJECT_TOO_LARGE`, `ENVELOPE_MALFORMED`, `KEY_UNKNOWN`, `SIGNATURE_INVALID`, `KEY_ROLE_MISSING`
 */
export function verifyEnvelope(value: unknown, root: TrustRoot, role: TrustRole): Buffer {
  const { payload, signatures } = decodeEnvelope(value);
  const message = encodePae(payloadType, payload);
  let known = 0;
  let valid = 0;
  for (const { keyid, sig } of signatures) {
    const key = Object.hasOwn(root.keys, keyid) ? root.keys[keyid] : undefined;
    if (key === undefined) continue;
    known++;
    const publicKey = readPublicKey(key, keyid);
    if (publicKey === null || !verify(null, message, publicKey, sig)) continue;
    valid++;
    if (key.roles.includes(role)) return payload;
  }
  if (known === 0) throw refuse("KEY_UNKNOWN", "No key that this app trusts has signed the object.", signatures);
  if (valid === 0) throw refuse("SIGNATURE_INVALID", "The object's signature does not hold.", signatures);
  throw refuse("KEY_ROLE_MISSING", `The key that signed the object may not act as ${role}.`, signatures);
}

interface DecodedEnvelope {
  readonly payload: Buffer;
  readonly signatures: readonly { readonly keyid: string; readonly sig: Buffer }[];
}

function decodeEnvelope(value: unknown): DecodedEnvelope {
  // Sizes first: nothing is decoded, let alone hashed, that is over the limit.
  const text = typeof value === "object" && value !== null && "payload" in value ? value.payload : "";
  if (typeof text === "string" && text.length > Math.ceil(maxPayloadBytes / 3) * 4) throw tooLarge(Math.floor((text.length / 4) * 3));
  const envelope = readForm(value);
  if (envelope.payloadType !== payloadType) throw malformed(`Its payloadType is not ${payloadType}.`);
  if (envelope.signatures.length === 0) throw malformed("It has no signature.");
  const payload = decodeBase64(envelope.payload);
  if (payload === null) throw malformed("Its payload is not canonical base64.");
  if (payload.length > maxPayloadBytes) throw tooLarge(payload.length);
  const signatures = envelope.signatures.map(({ keyid, sig }) => {
    const bytes = decodeBase64(sig);
    if (bytes === null) throw malformed("A signature is not canonical base64.");
    return { keyid, sig: bytes };
  });
  return { payload, signatures };
}

function readForm(value: unknown): Envelope {
  try {
    return parseEnvelope(value);
  } catch (cause) {
    throw malformed(isMidflightError(cause) ? cause.facts.what : "It is not an envelope.");
  }
}

function malformed(why: string): MidflightError {
  return new MidflightError("ENVELOPE_MALFORMED", { what: "A signed object has a malformed envelope.", why, state: "It was not obeyed." });
}

function tooLarge(bytes: number): MidflightError {
  return new MidflightError("OBJECT_TOO_LARGE", {
    what: `A signed object of ${bytes} bytes is over the limit of ${maxPayloadBytes}.`,
    details: { bytes, limit: maxPayloadBytes },
  });
}

function refuse(code: "KEY_UNKNOWN" | "SIGNATURE_INVALID" | "KEY_ROLE_MISSING", what: string, signatures: DecodedEnvelope["signatures"]): MidflightError {
  return new MidflightError(code, { what, state: "It was not obeyed.", details: { keys: signatures.map((s) => s.keyid.slice(0, 16)).join(" ") } });
}

import { createPublicKey, type KeyObject } from "node:crypto";
import { asArray, asOneOf, asRecord, asString, invalid } from "@midflight/protocol";
import { decodeBase64 } from "./base64.ts";
import { encodePublicKey, keyIdOf, type SigningKey } from "./signing-key.ts";

/** What a key may decide: a builder signs releases, a planner transitions, a controller assigns. */
export type TrustRole = "builder" | "planner" | "controller";

export interface TrustedKey {
  /** Whose key it is, for people. */
  readonly name: string;
  /** SPKI DER, base64. */
  readonly publicKey: string;
  readonly roles: readonly TrustRole[];
}

/** Whom an app believes. Plain JSON, pinned on disk beside each process (`root.json`); holds no secret. */
export interface TrustRoot {
  readonly version: 1;
  readonly app: string;
  /** By key id. */
  readonly keys: Readonly<Record<string, TrustedKey>>;
}

const allRoles: readonly TrustRole[] = ["builder", "planner", "controller"];

export function createTrustRoot(app: string, keys: readonly { readonly name: string; readonly key: SigningKey; readonly roles: readonly TrustRole[] }[]): TrustRoot {
  return parseTrustRoot({
    version: 1,
    app,
    keys: Object.fromEntries(keys.map(({ name, key, roles }) => [key.keyId, { name, publicKey: encodePublicKey(key).toString("base64"), roles }])),
  });
}

/**
 * Reads a root.json. Every key is checked against its id, so a root that names a key wrongly is refused whole.
 * @throws MidflightError `OBJECT_INVALID`
 */
export function parseTrustRoot(value: unknown): TrustRoot {
  const root = asRecord(value, "root");
  if (root["version"] !== 1) invalid("root.version", "1");
  const app = asString(root["app"], "root.app", 200);
  if (app === "" || app.includes("/")) invalid("root.app", "a name without a slash");
  const entries = Object.entries(asRecord(root["keys"], "root.keys"));
  if (entries.length > 100) invalid("root.keys", "at most 100 keys");
  const keys: Record<string, TrustedKey> = Object.create(null) as Record<string, never>;
  for (const [keyId, raw] of entries) {
    const path = `root.keys.${keyId.slice(0, 64)}`;
    const record = asRecord(raw, path);
    const key: TrustedKey = {
      name: asString(record["name"], `${path}.name`, 200),
      publicKey: asString(record["publicKey"], `${path}.publicKey`, 200),
      roles: asArray(record["roles"], `${path}.roles`, 10).map((role) => asOneOf(role, allRoles, `${path}.roles`)),
    };
    if (readPublicKey(key, keyId) === null) invalid(`${path}.publicKey`, "the Ed25519 key (SPKI DER, base64) that its id names");
    keys[keyId] = key;
  }
  return { version: 1, app, keys };
}

const cache = new WeakMap<TrustedKey, KeyObject>();

/** The key to verify with; null if it is not the Ed25519 key that `keyId` names. */
export function readPublicKey(key: TrustedKey, keyId: string): KeyObject | null {
  const known = cache.get(key);
  if (known !== undefined) return known;
  const der = decodeBase64(key.publicKey);
  if (der === null || keyIdOf(der) !== keyId) return null;
  try {
    const publicKey = createPublicKey({ key: der, format: "der", type: "spki" });
    if (publicKey.asymmetricKeyType !== "ed25519") return null;
    cache.set(key, publicKey);
    return publicKey;
  } catch {
    return null;
  }
}

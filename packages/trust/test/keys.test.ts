import assert from "node:assert/strict";
import { generateKeyPairSync } from "node:crypto";
import { test } from "node:test";
import { isMidflightError } from "@midflight/protocol";
import { createTrustRoot, encodeSigningKey, generateSigningKey, parseTrustRoot, readSigningKey } from "@midflight/trust";

test("a key written and read again is the same key", () => {
  const key = generateSigningKey();
  assert.match(key.keyId, /^[0-9a-f]{64}$/);
  assert.equal(readSigningKey(encodeSigningKey(key)).keyId, key.keyId);
});

test("a text that holds no Ed25519 private key is refused without being quoted", () => {
  const secret = "-----BEGIN PRIVATE KEY-----\nc2VjcmV0\n-----END PRIVATE KEY-----\n";
  const rsa = generateKeyPairSync("ec", { namedCurve: "P-256" }).privateKey.export({ type: "pkcs8", format: "pem" }).toString();
  for (const text of ["", "x", secret, rsa]) {
    assert.throws(
      () => readSigningKey(text),
      (error: unknown) => isMidflightError(error) && error.code === "KEY_MISSING" && error.cause === undefined && !error.message.includes("c2VjcmV0"),
    );
  }
});

test("a root written and read again is the same root, and holds no private key", () => {
  const key = generateSigningKey();
  const root = createTrustRoot("shop", [{ name: "ada", key, roles: ["builder"] }]);
  const text = JSON.stringify(root);
  assert.equal(JSON.stringify(parseTrustRoot(JSON.parse(text))), text);
  assert.ok(!text.includes(key.privateKey.export({ format: "jwk" }).d ?? ""));
});

test("a root that names a key wrongly is refused whole", () => {
  const root = createTrustRoot("shop", [{ name: "ada", key: generateSigningKey(), roles: ["builder"] }]);
  const [keyId, key] = Object.entries(root.keys)[0] ?? assert.fail();
  const wrong: unknown[] = [
    { ...root, keys: { ["0".repeat(64)]: key } },
    { ...root, keys: { [keyId]: { ...key, roles: ["owner"] } } },
    { ...root, keys: { [keyId]: { ...key, publicKey: `${key.publicKey} ` } } },
    { ...root, keys: [] },
    { ...root, version: 2 },
    { ...root, app: "shop/x" },
    { ...root, app: "" },
    null,
  ];
  for (const value of wrong) {
    assert.throws(() => parseTrustRoot(value), (error: unknown) => isMidflightError(error) && error.code === "OBJECT_INVALID");
  }
});

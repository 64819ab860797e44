import assert from "node:assert/strict";
import { generateKeyPairSync, sign } from "node:crypto";
import { test } from "node:test";
import { createAssignStatement, createReleaseStatement, isMidflightError, maxPayloadBytes, payloadType, type Envelope, type ErrorCode, type Statement } from "@midflight/protocol";
import { createTrustRoot, encodePae, generateSigningKey, parseTrustRoot, sha256, signStatement, verifyAssign, verifyRelease, verifyTransition } from "@midflight/trust";
import { assignOf, releaseOf, statements, transitionOf } from "./statements.ts";

const key = generateSigningKey();
const root = createTrustRoot("shop", [{ name: "ada", key, roles: ["builder", "planner", "controller"] }]);

const refuses = (code: ErrorCode, run: () => unknown): void => {
  assert.throws(run, (error: unknown) => {
    assert.ok(isMidflightError(error), String(error));
    assert.equal(error.code, code);
    return true;
  });
};

const envelopeOf = (statement: Statement): Envelope => signStatement(statement, key).envelope;

/** Without the null prototypes that parsed objects have. */
const plain = (value: unknown): unknown => JSON.parse(JSON.stringify(value));

/** Signs any bytes, also such as `signStatement` would never make. */
const signBytes = (bytes: Buffer, type: string = payloadType): Envelope => ({
  payloadType: type,
  payload: bytes.toString("base64"),
  signatures: [{ keyid: key.keyId, sig: sign(null, encodePae(type, bytes), key.privateKey).toString("base64") }],
});

test("what was signed is what is read back, by the id of its bytes", () => {
  const release = signStatement(statements.release, key);
  assert.deepEqual(plain(verifyRelease(release.envelope, root)), { id: release.id, release: releaseOf() });
  assert.equal(release.id, sha256(Buffer.from(release.envelope.payload, "base64")));
  assert.deepEqual(verifyTransition(envelopeOf(statements.transition), root).transition, transitionOf());
  assert.deepEqual(verifyAssign(envelopeOf(statements.assign), root).assign, assignOf());
});

test("an envelope survives JSON", () => {
  const copy: unknown = JSON.parse(JSON.stringify(envelopeOf(statements.assign)));
  assert.equal(verifyAssign(copy, root).assign.counter, 7);
});

test("one changed bit of the payload is refused, wherever it is", () => {
  const envelope = envelopeOf(statements.assign);
  const bytes = Buffer.from(envelope.payload, "base64");
  for (let at = 0; at < bytes.length; at += 37) {
    const changed = Buffer.from(bytes);
    changed.writeUInt8(changed.readUInt8(at) ^ 1, at);
    refuses("SIGNATURE_INVALID", () => verifyAssign({ ...envelope, payload: changed.toString("base64") }, root));
  }
});

test("a signature of another object is refused", () => {
  const other = envelopeOf(createAssignStatement(assignOf({ counter: 8 })));
  refuses("SIGNATURE_INVALID", () => verifyAssign({ ...envelopeOf(statements.assign), signatures: other.signatures }, root));
});

test("a signature under a trusted key's name by another key is refused", () => {
  const forged = signStatement(statements.assign, generateSigningKey()).envelope;
  const signatures = forged.signatures.map((s) => ({ ...s, keyid: key.keyId }));
  refuses("SIGNATURE_INVALID", () => verifyAssign({ ...forged, signatures }, root));
});

test("a key that the root does not name is refused, also by a name that every object has", () => {
  const stranger = signStatement(statements.assign, generateSigningKey()).envelope;
  refuses("KEY_UNKNOWN", () => verifyAssign(stranger, root));
  for (const keyid of ["__proto__", "constructor", "toString", ""]) {
    refuses("KEY_UNKNOWN", () => verifyAssign({ ...stranger, signatures: stranger.signatures.map((s) => ({ ...s, keyid })) }, root));
  }
});

test("a key decides only what its roles allow", () => {
  const builder = generateSigningKey();
  const narrow = createTrustRoot("shop", [{ name: "ci", key: builder, roles: ["builder"] }]);
  verifyRelease(signStatement(statements.release, builder).envelope, narrow);
  refuses("KEY_ROLE_MISSING", () => verifyTransition(signStatement(statements.transition, builder).envelope, narrow));
  refuses("KEY_ROLE_MISSING", () => verifyAssign(signStatement(statements.assign, builder).envelope, narrow));
});

test("a second signature by a stranger does no harm, and adds no role", () => {
  const builder = generateSigningKey();
  const both = createTrustRoot("shop", [{ name: "ci", key: builder, roles: ["builder"] }, { name: "ada", key, roles: ["controller"] }]);
  const own = signStatement(statements.assign, key).envelope;
  const strange = signStatement(statements.assign, generateSigningKey()).envelope;
  const ci = signStatement(statements.assign, builder).envelope;
  verifyAssign({ ...own, signatures: [...strange.signatures, ...ci.signatures, ...own.signatures] }, both);
  refuses("KEY_ROLE_MISSING", () => verifyAssign({ ...own, signatures: [...strange.signatures, ...ci.signatures] }, both));
});

test("an object is never taken for one of another kind", () => {
  refuses("OBJECT_INVALID", () => verifyAssign(envelopeOf(statements.release), root));
  refuses("OBJECT_INVALID", () => verifyRelease(envelopeOf(statements.transition), root));
  refuses("OBJECT_INVALID", () => verifyTransition(envelopeOf(statements.assign), root));
});

test("a valid signature over another payload type is refused", () => {
  const payload = Buffer.from(JSON.stringify(statements.assign));
  refuses("ENVELOPE_MALFORMED", () => verifyAssign(signBytes(payload, "text/plain"), root));
  refuses("SIGNATURE_INVALID", () => verifyAssign({ ...signBytes(payload, "text/plain"), payloadType }, root));
});

test("a re-spelled envelope is refused", () => {
  const envelope = envelopeOf(statements.assign);
  const first = envelope.signatures[0];
  assert.ok(first);
  const respelled: unknown[] = [
    { ...envelope, payload: `${envelope.payload}\n` },
    { ...envelope, payload: envelope.payload.replaceAll("=", "") + "*" },
    { ...envelope, signatures: [{ ...first, sig: first.sig.replaceAll("=", "") }] },
    { ...envelope, signatures: [] },
    { ...envelope, signatures: Array.from({ length: 17 }, () => first) },
    { ...envelope, payload: 7 },
    { ...envelope, payloadType: undefined },
    null, 7, "x", [],
  ];
  for (const value of respelled) refuses("ENVELOPE_MALFORMED", () => verifyAssign(value, root));
});

test("an object over the limit is refused before it is decoded", () => {
  const payload = "A".repeat(Math.ceil(maxPayloadBytes / 3) * 4 + 4);
  refuses("OBJECT_TOO_LARGE", () => verifyAssign({ ...envelopeOf(statements.assign), payload }, root));
  refuses("OBJECT_TOO_LARGE", () => signStatement({ ...statements.assign, predicate: "x".repeat(maxPayloadBytes) }, key));
});

test("a signed payload that is no JSON in UTF-8 is refused", () => {
  for (const bytes of [Buffer.from("{"), Buffer.from([0x22, 0xff, 0x22]), Buffer.from("\ufeff{}"), Buffer.alloc(0)]) {
    refuses("OBJECT_INVALID", () => verifyAssign(signBytes(bytes), root));
  }
});

test("an object of another app is refused", () => {
  refuses("CHANNEL_MISMATCH", () => verifyRelease(envelopeOf(createReleaseStatement(releaseOf({ app: "bank" }))), root));
  for (const channel of ["bank/development", "shop", "shopping/development"]) {
    refuses("CHANNEL_MISMATCH", () => verifyAssign(envelopeOf(createAssignStatement(assignOf({ channel }))), root));
  }
});

test("a claim that contradicts the statement's subject is refused", () => {
  const other = createAssignStatement(assignOf());
  refuses("OBJECT_INVALID", () => verifyAssign(envelopeOf({ ...other, subject: statements.release.subject }), root));
});

test("a public key that is not Ed25519 cannot be trusted", () => {
  const { publicKey } = generateKeyPairSync("ec", { namedCurve: "P-256" });
  const spki = publicKey.export({ type: "spki", format: "der" });
  const keys = { [sha256(spki).slice(7)]: { name: "x", publicKey: spki.toString("base64"), roles: ["builder"] } };
  refuses("OBJECT_INVALID", () => createTrustRoot("shop/x", []));
  refuses("OBJECT_INVALID", () => verifyRelease(envelopeOf(statements.release), parseTrustRoot({ version: 1, app: "shop", keys })));
});

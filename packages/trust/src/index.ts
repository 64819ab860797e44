export { decodeBase64 } from "./base64.ts";
export { encodePae, signStatement } from "./envelope.ts";
export { sha256 } from "./hash.ts";
export { encodeSigningKey, generateSigningKey, readSigningKey, type SigningKey } from "./signing-key.ts";
export { createTrustRoot, parseTrustRoot, type TrustedKey, type TrustRole, type TrustRoot } from "./trust-root.ts";
export { verifyAssign, verifyRelease, verifyTransition } from "./verify.ts";

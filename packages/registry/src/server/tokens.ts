import { createHash, timingSafeEqual } from "node:crypto";
import { MidflightError, type TokenRole } from "@midflight/protocol";

/** Finds the roles of the bearer token in an `Authorization` header; null if it is none that is known. */
export type TokenCheck = (authorization: string | undefined) => readonly TokenRole[] | null;

/**
 * Tokens are held and compared as digests, all of them each time and in constant time: how long an answer takes says
 * nothing about how near a guess was.
 */
export function createTokenCheck(tokens: Readonly<Record<string, readonly TokenRole[]>>): TokenCheck {
  const known = Object.entries(tokens).map(([token, roles]) => {
    if (token === "") throw new MidflightError("CONFIG_INVALID", { what: "A registry's token is empty.", fix: ["Give each token at least 32 random characters."] });
    return { digest: digestOf(token), roles };
  });
  return (authorization) => {
    const given = digestOf(/^Bearer (\S{1,512})$/i.exec(authorization ?? "")?.[1] ?? "");
    let found: readonly TokenRole[] | null = null;
    for (const { digest, roles } of known) if (timingSafeEqual(digest, given)) found = roles;
    return found;
  };
}

function digestOf(token: string): Buffer {
  return createHash("sha256").update(token).digest();
}

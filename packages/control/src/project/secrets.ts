import fs from "node:fs";
import { randomBytes } from "node:crypto";
import { asRecord, asString, MidflightError, type TokenRole } from "@midflight/protocol";
import { createDurably, readIfThere, secretMode } from "@midflight/supervisor";
import { createTrustRoot, encodeSigningKey, generateSigningKey, parseTrustRoot, readSigningKey, type SigningKey, type TrustRoot } from "@midflight/trust";
import { readEnvironment } from "../config/environment.ts";
import type { ResolvedConfig } from "../config/resolved-config.ts";
import { layoutOf } from "./layout.ts";

/** What a project signs and calls with. */
export interface Secrets {
  readonly key: SigningKey;
  readonly root: TrustRoot;
  readonly tokens: Tokens;
}

export interface Tokens {
  readonly publisher: string;
  readonly agent: string;
  readonly reader: string;
}

/** What `makeSecrets` made, as paths; empty if all was there. */
export type MadeFiles = readonly string[];

/** Makes what is missing of key, trust root and tokens; what is there is never written again. */
export function makeSecrets(config: Pick<ResolvedConfig, "app" | "projectDir" | "signing">): { readonly secrets: Secrets; readonly made: MadeFiles } {
  const layout = layoutOf(config.projectDir);
  const made: string[] = [];
  const make = (file: string, text: string, mode: number): void => {
    if (createDurably(file, text, mode)) made.push(file);
  };
  const place = config.signing.key;
  // A root without its key is a key that was lost; a new one would not be believed by anybody.
  if (place.kind === "file" && !fs.existsSync(place.path) && !fs.existsSync(layout.trustRoot)) make(place.path, encodeSigningKey(generateSigningKey()), secretMode);
  const key = readKey(config);
  if (!fs.existsSync(layout.trustRoot)) {
    const root = createTrustRoot(config.app, [{ name: "development", key, roles: ["builder", "planner", "controller"] }]);
    make(layout.trustRoot, `${JSON.stringify(root, null, 2)}\n`, 0o644);
  }
  if (!fs.existsSync(layout.tokens)) {
    const tokens: Tokens = { publisher: token(), agent: token(), reader: token() };
    make(layout.tokens, `${JSON.stringify(tokens, null, 2)}\n`, secretMode);
  }
  return { secrets: readSecrets(config), made };
}

/** @throws MidflightError `KEY_MISSING`, `KEY_UNKNOWN`, `OBJECT_INVALID` */
export function readSecrets(config: Pick<ResolvedConfig, "app" | "projectDir" | "signing">): Secrets {
  const layout = layoutOf(config.projectDir);
  const key = readKey(config);
  const root = parseTrustRoot(readJson(layout.trustRoot));
  if (root.app !== config.app) {
    throw new MidflightError("CHANNEL_MISMATCH", {
      what: `The trust root is of app "${root.app}", the configuration of "${config.app}".`,
      why: "the app was renamed after its key was made.",
      state: "nothing was done.",
      fix: [`write app: "${root.app}"`, `to begin anew, move ${layout.root} away`],
    });
  }
  if (root.keys[key.keyId] === undefined) {
    throw new MidflightError("KEY_UNKNOWN", {
      what: "The signing key is not one that the trust root names.",
      why: `${layout.trustRoot} belongs to another key.`,
      state: "nothing was done.",
      fix: ["bring back the key that belongs to it", `to begin anew, move ${layout.root} away`],
      details: { keyId: key.keyId },
    });
  }
  const tokens = asRecord(readJson(layout.tokens), "tokens");
  return { key, root, tokens: { publisher: asToken(tokens, "publisher"), agent: asToken(tokens, "agent"), reader: asToken(tokens, "reader") } };
}

/** Which token may do what, as the registry wants it. */
export function tokenRoles(tokens: Tokens): Readonly<Record<string, TokenRole[]>> {
  return { [tokens.publisher]: ["publisher", "reader"], [tokens.agent]: ["agent", "reader"], [tokens.reader]: ["reader"] };
}

function readKey({ signing, projectDir }: Pick<ResolvedConfig, "signing" | "projectDir">): SigningKey {
  const place = signing.key;
  const pem = place.kind === "file" ? readIfThere(place.path) : (readEnvironment()[place.name] ?? null);
  if (pem !== null && pem !== "") return readSigningKey(pem);
  throw new MidflightError("KEY_MISSING", {
    what: place.kind === "file" ? `There is no signing key at ${place.path}.` : `The variable ${place.name} holds no signing key.`,
    why: "releases are signed, and no process takes an unsigned one.",
    state: "nothing was done.",
    fix: [place.kind === "file" ? "midflight init" : `set ${place.name} to an Ed25519 key in PKCS#8 PEM form`],
    details: { projectDir },
  });
}

function readJson(file: string): unknown {
  const text = readIfThere(file);
  if (text === null) {
    throw new MidflightError("KEY_MISSING", {
      what: `${file} is not there.`,
      why: "the project was not prepared, or its .midflight was removed.",
      state: "nothing was done.",
      fix: ["midflight init"],
    });
  }
  try {
    return JSON.parse(text);
  } catch (error) {
    throw new MidflightError("FILE_UNREADABLE", { what: `${file} is no JSON.`, why: "it was damaged or edited by hand.", details: { file } }, { cause: error });
  }
}

function asToken(tokens: Readonly<Record<string, unknown>>, name: keyof Tokens): string {
  return asString(tokens[name], `tokens.${name}`, 200);
}

function token(): string {
  return randomBytes(24).toString("base64url");
}

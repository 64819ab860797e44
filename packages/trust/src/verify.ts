import {
  invalid, MidflightError, parseAssignStatement, parseReleaseStatement, parseTransitionStatement,
  type Assign, type Digest, type Release, type ReleaseId, type Transition,
} from "@midflight/protocol";
import { verifyEnvelope } from "./envelope.ts";
import { sha256 } from "./hash.ts";
import type { TrustRole, TrustRoot } from "./trust-root.ts";

// Every function below throws the codes of `verifyEnvelope`, and `OBJECT_INVALID` if what was signed is not what was
// asked for. Whether an assign is fresh (counter, expiry) is for its reader: that needs the state of the process.

/** Signed by a builder, and of the root's app. @throws MidflightError also `CHANNEL_MISMATCH` */
export function verifyRelease(envelope: unknown, root: TrustRoot): { readonly id: ReleaseId; readonly release: Release } {
  const { id, value: release } = verifyAndParse(envelope, root, "builder", parseReleaseStatement);
  if (release.app !== root.app) throw mismatch(`The release is of app ${quote(release.app)}.`, root);
  return { id, release };
}

/** Signed by a planner. Its two releases are verified on their own. */
export function verifyTransition(envelope: unknown, root: TrustRoot): { readonly id: Digest; readonly transition: Transition } {
  const { id, value: transition } = verifyAndParse(envelope, root, "planner", parseTransitionStatement);
  return { id, transition };
}

/** Signed by a controller, for a channel of the root's app (`app/channel`). @throws MidflightError also `CHANNEL_MISMATCH` */
export function verifyAssign(envelope: unknown, root: TrustRoot): { readonly id: Digest; readonly assign: Assign } {
  const { id, value: assign } = verifyAndParse(envelope, root, "controller", parseAssignStatement);
  if (!assign.channel.startsWith(`${root.app}/`)) throw mismatch(`The assign is for channel ${quote(assign.channel)}.`, root);
  return { id, assign };
}

const utf8 = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true });

function verifyAndParse<T>(envelope: unknown, root: TrustRoot, role: TrustRole, parse: (value: unknown) => T): { readonly id: Digest; readonly value: T } {
  const payload = verifyEnvelope(envelope, root, role);
  let json: unknown;
  try {
    json = JSON.parse(utf8.decode(payload));
  } catch {
    invalid("payload", "JSON in UTF-8");
  }
  return { id: sha256(payload), value: parse(json) };
}

function quote(text: string): string {
  return JSON.stringify(text.slice(0, 100));
}

function mismatch(what: string, root: TrustRoot): MidflightError {
  return new MidflightError("CHANNEL_MISMATCH", { what, why: `This process trusts for app ${quote(root.app)} only.`, state: "It was not obeyed." });
}

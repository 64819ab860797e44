import type { Digest } from "./digest.ts";
import { asArray, asOneOf, asRecord, asString } from "./json.ts";

/** A declaration whose live text was read back. */
export interface DeclarationDigest {
  readonly unit: string;
  /** As people know it: `greet()`, `Counter.read()`. */
  readonly declaration: string;
  /** Of its text, as the running function tells it. */
  readonly digest: Digest;
}

/** What was read back after a swap: of each function that the release changed and that exists once per module. */
export interface TextsRead {
  readonly count: number;
  /** Of all of them: equal in two processes that run the same. */
  readonly digest: Digest;
  /** The first of them, by unit and declaration; at most `mostDeclarations`. */
  readonly declarations: readonly DeclarationDigest[];
}

/** A report names so many declarations; of others it has their common digest. */
export const mostDeclarations = 100;

/**
 * How code of a process differs from what its agent made of it, because somebody else changed the process:
 * `guard`: calls do not find the release's body any more · `text`: the body has another text, as after an edit by a
 * debugger · `replaced`: another function stands where the release's stood, on a class or under a name.
 */
export type DriftKind = "guard" | "text" | "replaced";

export interface Drift {
  readonly unit: string;
  readonly declaration: string;
  readonly kind: DriftKind;
}

/** A beat names so many. */
export const mostDrifts = 20;

const kinds: readonly DriftKind[] = ["guard", "text", "replaced"];

/** Absent: an agent that does not look, or that finds none. @throws MidflightError `OBJECT_INVALID` */
export function parseDrift(value: unknown): readonly Drift[] {
  if (value === undefined) return [];
  return asArray(value, "drift", mostDrifts).map((one) => {
    const d = asRecord(one, "drift");
    return { unit: asString(d["unit"], "drift.unit", 1000), declaration: asString(d["declaration"], "drift.declaration", 1000), kind: asOneOf(d["kind"], kinds, "drift.kind") };
  });
}

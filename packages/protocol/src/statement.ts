import type { Digest } from "./digest.ts";
import { statementType } from "./envelope.ts";
import { asArray, asOneOf, asRecord, asString, invalid } from "./json.ts";

/** The kinds of signed objects that stand in a channel's log. */
export type StatementKind = "release" | "transition" | "assign";

export const predicateTypes: Readonly<Record<StatementKind, string>> = {
  release: "urn:midflight:release:v1",
  transition: "urn:midflight:transition:v1",
  assign: "urn:midflight:assign:v1",
};

/** An in-toto Statement v1 around one of our predicates. `subject` names what it speaks of, by digest. */
export interface Statement {
  readonly _type: typeof statementType;
  readonly subject: readonly { readonly name: string; readonly digest: { readonly sha256: string } }[];
  readonly predicateType: string;
  readonly predicate: unknown;
}

export function createStatement(kind: StatementKind, subject: Readonly<Record<string, Digest>>, predicate: object): Statement {
  return {
    _type: statementType,
    subject: Object.entries(subject).map(([name, digest]) => ({ name, digest: { sha256: digest.slice(7) } })),
    predicateType: predicateTypes[kind],
    predicate,
  };
}

/** Checks that a payload is a statement of the kind that was asked for. @throws MidflightError `OBJECT_INVALID` */
export function parseStatement(kind: StatementKind, value: unknown): { readonly subject: ReadonlyMap<string, Digest>; readonly predicate: unknown } {
  const s = asRecord(value, "statement");
  asOneOf(s["_type"], [statementType], "statement._type");
  asOneOf(s["predicateType"], [predicateTypes[kind]], "statement.predicateType");
  const subject = new Map<string, Digest>();
  for (const item of asArray(s["subject"], "statement.subject", 16)) {
    const record = asRecord(item, "statement.subject");
    const name = asString(record["name"], "statement.subject.name", 200);
    const sha256 = asString(asRecord(record["digest"], "statement.subject.digest")["sha256"], "statement.subject.sha256", 64);
    if (!/^[0-9a-f]{64}$/.test(sha256)) invalid("statement.subject.sha256", "64 hex digits");
    if (subject.has(name)) invalid("statement.subject", "a list of distinct names");
    subject.set(name, `sha256:${sha256}`);
  }
  return { subject, predicate: s["predicate"] };
}

import type { Digest } from "./digest.ts";
import { asCount, asNullable, asRecord, asString, invalid } from "./json.ts";
import { parseProvenance, type Provenance } from "./provenance.ts";
import { createStatement, parseStatement, type Statement } from "./statement.ts";
import { parseDigest } from "./tree.ts";

/** Names a release everywhere: the SHA-256 of the signed payload's bytes. */
export type ReleaseId = Digest;

/**
 * One immutable state of an app's code. It knows no channel: the same release may be assigned in several.
 */
export interface Release {
  readonly app: string;
  /** Counts up by one per app; what people say: r128. */
  readonly number: number;
  /** Root of the Merkle tree. */
  readonly tree: Digest;
  /** Version of the instrumentation forms (spec/instrument.md) its artifacts carry. */
  readonly instrumentation: number;
  /** Digest of the dependency lock file; null if there is none. */
  readonly lock: Digest | null;
  /** Blob: the packages that the lock file names and those that are installed, by place. Default: none. */
  readonly dependencies?: Digest | null;
  /** How many units, for people. */
  readonly units: number;
  readonly provenance: Provenance;
}

export function createReleaseStatement(release: Release): Statement {
  const { tree, provenance, ...rest } = release;
  return createStatement("release", { tree }, { release: rest, provenance });
}

/** @throws MidflightError `OBJECT_INVALID` */
export function parseReleaseStatement(value: unknown): Release {
  const { subject, predicate } = parseStatement("release", value);
  const tree = subject.get("tree") ?? invalid("statement.subject", "a list with a tree");
  const p = asRecord(predicate, "predicate");
  const r = asRecord(p["release"], "release");
  return {
    app: asString(r["app"], "release.app", 200),
    number: asCount(r["number"], "release.number"),
    tree,
    instrumentation: asCount(r["instrumentation"], "release.instrumentation"),
    lock: asNullable(r["lock"], parseDigest, "release.lock"),
    ...(r["dependencies"] !== undefined && { dependencies: asNullable(r["dependencies"], parseDigest, "release.dependencies") }),
    units: asCount(r["units"], "release.units"),
    provenance: parseProvenance(p["provenance"]),
  };
}

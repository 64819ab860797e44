import type { DeclarationDigest, Digest, Drift, DriftKind, Hash } from "@midflight/protocol";
import { mostDeclarations, mostDrifts, type TextsRead } from "@midflight/protocol";
import type { Pace } from "../pace.ts";
import type { InstanceTable } from "./instance-table.ts";

type Function_ = (...args: never[]) => unknown;

/** How one declaration of a live overlay is read back. Everything is looked up in the process when it is asked. */
export interface Reader {
  /** As people know it: `greet()`, `Counter.read()`. */
  readonly declaration: string;
  /** How the function's text begins, by the form that it was compiled in. */
  readonly head: string;
  /** True if what follows, `text`, is the text that the transition has for it. */
  isExpected(text: string, digest: Digest): boolean;
  /** The body that a call outside of requests gets; undefined if it was never needed yet. */
  body(): Function_ | undefined;
  /** The binding that may hold its function, and the guard by which that is told. */
  readonly held: { readonly slot: string; readonly name: string } | null;
  /** What differs on the way from callers to the body; null if nothing does. */
  differs(): DriftKind | null;
}

export interface Readings {
  readonly texts: TextsRead;
  readonly drift: readonly Drift[];
  /** The longest that the event loop was held, in ms. */
  readonly longestMs: number;
}

/**
 * Reads the live text of everything that the overlay changed, in slices. Null if a swap came in between: what was read
 * is of two releases. Never throws: code that cannot be read is code that somebody changed.
 */
export async function readTexts(table: InstanceTable, pace: Pace, hash: Hash, isCurrent: () => boolean): Promise<Readings | null> {
  const found: DeclarationDigest[] = [];
  const drift: Drift[] = [];
  await pace.yield();
  for (const instance of [...table.changed]) {
    if (!isCurrent()) return null;
    instance.findHolders(instance.readers.flatMap(({ held }) => held ?? []));
    for (const reader of instance.readers) {
      const { declaration } = reader;
      const read = readOne(reader, hash);
      if (read.digest !== null) found.push({ unit: instance.unit, declaration, digest: read.digest });
      if (read.kind !== null) drift.push({ unit: instance.unit, declaration, kind: read.kind });
      await pace.breathe();
      if (!isCurrent()) return null;
    }
  }
  const lines = new Map(found.map((one) => [`${one.unit} ${one.declaration} ${one.digest}`, one]));
  const sorted = [...lines.keys()].sort();
  const texts = { count: sorted.length, digest: hash(sorted.join("\n")), declarations: sorted.slice(0, mostDeclarations).map((line) => lines.get(line)!) };
  return { texts, drift: drift.slice(0, mostDrifts), longestMs: pace.longestMs };
}

function readOne(reader: Reader, hash: Hash): { readonly digest: Digest | null; readonly kind: DriftKind | null } {
  try {
    const differs = reader.differs();
    const body = reader.body();
    if (body === undefined) return { digest: null, kind: differs };
    // ECMA-262 §20.2.3.5 Function.prototype.toString: the very source text that it was compiled from.
    const whole = Function.prototype.toString.call(body);
    const text = whole.startsWith(reader.head) ? whole.slice(reader.head.length).trim() : whole;
    const digest = hash(text);
    return { digest, kind: differs ?? (reader.isExpected(text, digest) ? null : "text") };
  } catch {
    return { digest: null, kind: "replaced" };
  }
}

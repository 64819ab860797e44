import { analyzeUnit, type UnitAnalysis } from "@midflight/planner";
import type { Digest } from "@midflight/protocol";
import { sha256 } from "@midflight/trust";

type Format = UnitAnalysis["format"];

/** Remembers what the planner found out about texts, as long as some tree still holds it. */
export interface Analyses {
  /** `digest` is that of `source`. Statements that the text before this one had at the same place are not analysed again. */
  analyse(path: string, source: string, digest: Digest, format: Format): UnitAnalysis;
  /** What is known already; null if that text has to be fetched and analysed. */
  known(path: string, digest: Digest, format: Format): UnitAnalysis | null;
}

export function createAnalyses(): Analyses {
  const kept = new Map<string, WeakRef<UnitAnalysis>>();
  const newest = new Map<string, WeakRef<UnitAnalysis>>();
  const gone = new FinalizationRegistry<readonly [key: string, place: string]>(([key, place]) => {
    if (kept.get(key)?.deref() === undefined) kept.delete(key);
    if (newest.get(place)?.deref() === undefined) newest.delete(place);
  });
  const keyOf = (path: string, digest: Digest, format: Format): string => `${format} ${digest} ${path}`;
  const known: Analyses["known"] = (path, digest, format) => kept.get(keyOf(path, digest, format))?.deref() ?? null;
  return {
    known,
    analyse(path, source, digest, format) {
      const before = known(path, digest, format);
      if (before !== null) return before;
      const place = `${format} ${path}`;
      const former = newest.get(place)?.deref();
      const analysis = analyzeUnit(path, source, format, (text) => (text === source ? digest : sha256(text)), former);
      const key = keyOf(path, digest, format);
      const reference = new WeakRef(analysis);
      kept.set(key, reference);
      // What cannot be parsed has nothing to take over.
      if (analysis.detail !== null || former === undefined) newest.set(place, reference);
      gone.register(analysis, [key, place]);
      return analysis;
    },
  };
}

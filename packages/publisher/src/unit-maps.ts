import path from "node:path";
import { mapArtifact, type UnitAnalysis } from "@midflight/planner";
import { isSafePath, type Digest, type FlatTree } from "@midflight/protocol";

/** A map beyond this costs a process more than its lines are worth, in bytes. */
const maxMapBytes = 16 << 20;

/** Path of the source map that a unit names, from the app's root; null if it names none inside the app. */
export function mapPathOf(unit: string, analysis: UnitAnalysis): string | null {
  const { mapFile: file } = analysis;
  if (file === null) return null;
  let decoded: string;
  try {
    decoded = decodeURIComponent(file);
  } catch {
    return null;
  }
  const found = path.posix.join(path.posix.dirname(unit), decoded);
  return isSafePath(found) ? found : null;
}

/** The map of a unit's artifact among a release's files, if it can help a process. */
export function mapDigestOf(unit: string, analysis: UnitAnalysis | undefined, files: FlatTree): Digest | undefined {
  const found = analysis === undefined ? null : mapPathOf(unit, analysis);
  const entry = found === null ? undefined : files.get(found);
  return entry?.kind === "asset" && entry.inert && entry.bytes <= maxMapBytes ? entry.digest : undefined;
}

/**
 * Which units name which map. A map is released as that of the one unit that names it; one that several name is left
 * as it is.
 */
export class MapOwners {
  readonly #owners = new Map<string, Set<string>>();

  /** Takes up what became of a unit; null: it was removed, or was not there. The maps that this concerns. */
  update(unit: string, before: UnitAnalysis | null, after: UnitAnalysis | null): readonly string[] {
    const [old, now] = [before, after].map((analysis) => (analysis === null ? null : mapPathOf(unit, analysis)));
    if (old) {
      const owners = this.#owners.get(old);
      owners?.delete(unit);
      if (owners?.size === 0) this.#owners.delete(old);
    }
    if (now) {
      const owners = this.#owners.get(now);
      if (owners === undefined) this.#owners.set(now, new Set([unit]));
      else owners.add(unit);
    }
    return [old, now].filter((file) => typeof file === "string");
  }

  /** The unit that a map is of. */
  of(map: string): string | null {
    const owners = this.#owners.get(map);
    return owners?.size === 1 ? [...owners][0]! : null;
  }
}

/** A map's text as it is released; null: as it is. */
export function releasedMap(unit: UnitAnalysis, bytes: Uint8Array): Uint8Array | null {
  const made = bytes.byteLength > maxMapBytes ? null : mapArtifact(unit, Buffer.from(bytes).toString("utf8"));
  return made === null ? null : Buffer.from(made);
}

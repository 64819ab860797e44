import { MidflightError, parseDirectory, type Digest, type Directory } from "@midflight/protocol";
import type { Pace } from "./pace.ts";

export interface TreeCheck {
  /** Root of the release's Merkle tree, as its builder signed it. */
  readonly root: Digest;
  /** What each unit's text is said to be. */
  readonly artifacts: ReadonlyMap<string, Digest>;
  /** Gives verified bytes of all these blobs. */
  readonly read: (digests: readonly Digest[]) => Promise<ReadonlyMap<Digest, Uint8Array>>;
}

interface Wanted {
  readonly unit: string;
  /** Names from here down to the unit. */
  readonly rest: readonly string[];
}

/**
 * Proves that every text is the release's own: a planner orders pieces of what a builder signed, and brings no text of
 * its own. Reads the directories on the way to the units, a level at a time; the result is their digests.
 *
 * @throws MidflightError `ARTIFACT_DIGEST_MISMATCH`, `OBJECT_INVALID`
 */
export async function verifyInTree({ root, artifacts, read }: TreeCheck, pace: Pace): Promise<readonly Digest[]> {
  const directories = new Set<Digest>();
  let level = new Map<Digest, Wanted[]>();
  const all = [...artifacts.keys()].map((unit) => ({ unit, rest: unit.split("/") }));
  if (all.length > 0) level.set(root, all);
  while (level.size > 0) {
    const blobs = await read([...level.keys()]);
    pace.resume();
    const next = new Map<Digest, Wanted[]>();
    for (const [digest, wanted] of level) {
      directories.add(digest);
      const text = new TextDecoder().decode(blobs.get(digest));
      for (const { unit, rest } of wanted) {
        const entry = readEntry(text, rest[0]!);
        if (rest.length === 1) {
          if (entry?.kind !== "unit" || entry.artifact !== artifacts.get(unit)) throw foreign(unit);
          continue;
        }
        if (entry?.kind !== "dir") throw foreign(unit);
        const below = next.get(entry.digest) ?? [];
        next.set(entry.digest, below);
        below.push({ unit, rest: rest.slice(1) });
      }
      await pace.breathe();
    }
    level = next;
  }
  return [...directories];
}

const opening = '{"entries":{';

/**
 * One entry of a directory. Its encoding is canonical, entries hold no text but digests, and names are JSON, so the entry
 * is found without parsing the others: a directory of thousands does not hold up the app.
 */
function readEntry(text: string, name: string): Directory["entries"][string] | null {
  const key = `${JSON.stringify(name)}:{`;
  for (let at = text.indexOf(key, opening.length); at !== -1; at = text.indexOf(key, at + 1)) {
    const end = text.indexOf("}", at + key.length);
    if (end === -1) return null;
    if (at === opening.length || text[at - 1] === ",") return parseDirectory(`{"entries":{${text.slice(at, end + 1)}}}`).entries[name] ?? null;
  }
  return null;
}

function foreign(unit: string): MidflightError {
  return new MidflightError("ARTIFACT_DIGEST_MISMATCH", { what: `The transition brings a text for ${unit} that is not in the release.`, details: { unit } });
}

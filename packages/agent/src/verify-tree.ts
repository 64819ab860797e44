import { MidflightError, parseDirectory, type Digest } from "@midflight/protocol";
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
 * Proves that every text is cut from the release's own: a planner orders pieces of what a builder signed. Reads the directories on the way to the units, a level at a time; the result is their digests.
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
      // Entries stand sorted by name: in that order each search goes on where the last one ended.
      wanted.sort((a, b) => (a.rest[0]! < b.rest[0]! ? -1 : a.rest[0]! > b.rest[0]! ? 1 : 0));
      let from = opening.length;
      for (const { unit, rest } of wanted) {
        const found = findEntry(text, rest[0]!, from);
        const entry = found === null ? null : (parseDirectory(`{"entries":{${text.slice(found.start, found.end)}}}`).entries[rest[0]!] ?? null);
        from = found?.start ?? from;
        await pace.breathe();
        if (rest.length === 1) {
          const signed = entry?.kind === "unit" ? entry.artifact : entry?.kind === "asset" && unit.endsWith(".json") ? entry.digest : null;
          if (signed === null || signed !== artifacts.get(unit)) throw foreign(unit);
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
 * Where one entry of a directory stands. Its encoding is canonical, entries hold no text but digests, and names are
 * JSON, so the entry is found without parsing the others: a directory of thousands does not hold up the app.
 */
function findEntry(text: string, name: string, from: number): { readonly start: number; readonly end: number } | null {
  const key = `${JSON.stringify(name)}:{`;
  for (let at = text.indexOf(key, from); at !== -1; at = text.indexOf(key, at + 1)) {
    const end = text.indexOf("}", at + key.length);
    if (end === -1) return null;
    if (at === opening.length || text[at - 1] === ",") return { start: at, end: end + 1 };
  }
  return null;
}

function foreign(unit: string): MidflightError {
  return new MidflightError("ARTIFACT_DIGEST_MISMATCH", { what: `The transition brings a text for ${unit} that is not in the release.`, details: { unit } });
}

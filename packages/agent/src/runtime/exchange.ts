import type { UnitOps } from "@midflight/protocol";
import { statePrefix, type InstanceTable } from "./instance.ts";
import type { Overlay } from "./overlay.ts";

/** What an overlay adds that somebody may hold, or that holds state: if it goes, that is left over. */
export function broughtBy({ cells, members }: UnitOps): ReadonlySet<string> {
  const names = new Set<string>();
  for (const { name, key, isHeld } of cells) if (isHeld || key.startsWith(statePrefix)) names.add(name);
  for (const { className, name, isHeld } of members) if (isHeld) names.add(`${className}.${name}`);
  return names;
}

/**
 * Something that an earlier release added goes while something of its kind comes: it may be the same one under another
 * name or in another place, and what holds the former would not know. Where nothing comes, it is a way back. Null: no such thing.
 */
export function findExchanged(overlay: Overlay, table: InstanceTable, isLoaded: (added: string) => boolean): { readonly unit: string; readonly reason: string } | null {
  const next = new Map(overlay.units.map(({ ops }) => [ops.unit, broughtBy(ops)]));
  let gone: { unit: string; name: string } | null = null;
  let come: string | null = overlay.added.find(({ unit }) => !isLoaded(unit))?.unit ?? null;
  for (const { unit, brought } of table) {
    const now = next.get(unit);
    for (const name of brought) if (now?.has(name) !== true) gone ??= { unit, name };
    for (const name of now ?? []) if (!brought.has(name)) come ??= name;
  }
  if (gone === null || come === null) return null;
  return { unit: gone.unit, reason: `${gone.name} was added by an earlier release and is gone while ${come} comes; what it holds, and who holds it, may be meant to go on there` };
}

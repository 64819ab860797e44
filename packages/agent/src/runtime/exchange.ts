import type { ImportOp, UnitOps } from "@midflight/protocol";
import { statePrefix, type InstanceTable } from "./instance.ts";
import type { Overlay } from "./overlay.ts";

/** What an overlay adds that somebody may hold, or that holds state: if it goes, that is left over. */
export function broughtBy({ cells, members }: UnitOps): ReadonlySet<string> {
  const names = new Set<string>();
  for (const { name, key, isHeld } of cells) if (isHeld || key.startsWith(statePrefix)) names.add(name);
  for (const { className, name, isHeld } of members) if (isHeld) names.add(`${className}.${name}`);
  return names;
}

/** What the imports of an overlay's texts stand for, by name: the value is the same for the same origin. */
export function importedBy({ imports }: UnitOps): ReadonlyMap<string, string> {
  return new Map(imports.map((op) => [op.name, originOf(op)]));
}

function originOf(op: ImportOp): string {
  switch (op.from) {
    case "overlay":
    case "unit":
      return `${op.local} of ${op.unit}`;
    case "module":
      return `${op.imported} of ${op.specifier}`;
    case "added":
      return `${op.imported} of ${op.unit}`;
  }
}

/** An import that stood for one thing in the live overlay's texts and is to stand for another: closures that those made go on with the former. */
function findTurned(overlay: Overlay, table: InstanceTable): { readonly unit: string; readonly reason: string } | null {
  for (const { ops } of overlay.units) {
    const now = importedBy(ops);
    for (const { imported } of table.of(ops.unit)) {
      for (const [name, origin] of imported) {
        const next = now.get(name);
        if (next !== undefined && next !== origin) return { unit: ops.unit, reason: `${name} was imported by an earlier release as ${origin} and is ${next} now; closures that it made may go on with the former` };
      }
    }
  }
  return null;
}

/**
 * Something that an earlier release added goes while something of its kind comes: it may be the same one under another
 * name or in another place, and what holds the former would not know. Where nothing comes, it is a way back. Null: no such thing.
 */
export function findExchanged(overlay: Overlay, table: InstanceTable, isLoaded: (added: string) => boolean): { readonly unit: string; readonly reason: string } | null {
  const turned = findTurned(overlay, table);
  if (turned !== null) return turned;
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

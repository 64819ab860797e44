import type { ImportOp, UnitOps } from "@midflight/protocol";
import { statePrefix } from "./instance.ts";
import type { InstanceTable } from "./instance-table.ts";
import type { Overlay } from "./overlay.ts";

export const noNames: ReadonlySet<string> = new Set();
export const noOrigins: ReadonlyMap<string, string> = new Map();

/** What an overlay adds that somebody may hold, or that holds state: if it goes, that is left over. */
export function broughtBy({ cells, members }: UnitOps): ReadonlySet<string> {
  if (cells.length === 0 && members.length === 0) return noNames;
  const names = new Set<string>();
  for (const { name, key, isHeld } of cells) if (isHeld || key.startsWith(statePrefix)) names.add(name);
  for (const { className, name, isHeld } of members) if (isHeld) names.add(`${className}.${name}`);
  return names;
}

/** What the imports of an overlay's texts stand for, by name: the value is the same for the same origin. */
export function importedBy({ imports }: UnitOps): ReadonlyMap<string, string> {
  if (imports.length === 0) return noOrigins;
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
    let now: ReadonlyMap<string, string> | null = null;
    for (const { imported } of table.of(ops.unit)) {
      if (imported.size > 0) now ??= importedBy(ops);
      for (const [name, origin] of imported) {
        const next = now?.get(name);
        if (next !== undefined && next !== origin) return { unit: ops.unit, reason: `${name} was imported by an earlier release as ${origin} and is ${next} now; closures that it made may go on with the former` };
      }
    }
  }
  return null;
}

/** What an overlay adds to each of its units, and which modules it is the first to bring: found out once, asked when it is staged and when it is committed. */
export interface Bringing {
  readonly byUnit: ReadonlyMap<string, ReadonlySet<string>>;
  readonly modules: readonly string[];
}

export function bringingOf(overlay: Overlay, isLoaded: (added: string) => boolean): Bringing {
  return { byUnit: new Map(overlay.units.map(({ ops }) => [ops.unit, broughtBy(ops)])), modules: overlay.added.map(({ unit }) => unit).filter((unit) => !isLoaded(unit)) };
}

/**
 * Something that an earlier release added goes while something of its kind comes: it may be the same one under another
 * name or in another place, and what holds the former would not know. Where nothing comes, it is a way back. Null: no such thing.
 */
export function findExchanged(overlay: Overlay, { byUnit, modules }: Bringing, table: InstanceTable): { readonly unit: string; readonly reason: string } | null {
  const turned = findTurned(overlay, table);
  if (turned !== null) return turned;
  let gone: { unit: string; name: string } | null = null;
  let come: string | null = modules[0] ?? null;
  for (const { unit, brought } of table.concernedBy(byUnit.keys())) {
    const now = byUnit.get(unit);
    for (const name of brought) if (now?.has(name) !== true) gone ??= { unit, name };
    for (const name of now ?? []) if (!brought.has(name)) come ??= name;
  }
  if (gone === null || come === null) return null;
  return { unit: gone.unit, reason: `${gone.name} was added by an earlier release and is gone while ${come} comes; what it holds, and who holds it, may be meant to go on there` };
}

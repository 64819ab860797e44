import { findOrigin, importersOf, type AppShape } from "./app.ts";
import { namesOf } from "./names.ts";

const made = new WeakMap<AppShape, ReadonlySet<string>>();

function readMembersOf(app: AppShape): ReadonlySet<string> {
  let read = made.get(app);
  if (read !== undefined) return read;
  const all = new Set<string>();
  for (const { detail } of app.units.values()) if (detail !== null) for (const key of namesOf(detail).readMembers) all.add(key);
  made.set(app, (read = all));
  return read;
}

/** True if some code of the app reads a property of that name other than by calling it. */
export function isReadMember(app: AppShape, name: string): boolean {
  return name === "?" || readMembersOf(app).has(name);
}

/** True if all units that import an exported function only call it. */
export function isExportOnlyCalled(app: AppShape, unit: string, local: string): boolean {
  for (const importer of importersOf(app).of(unit)) {
    const { detail } = app.units.get(importer)!;
    if (detail === null || detail.hasOpenImport) return false;
    const names = namesOf(detail);
    for (const binding of detail.facts.exports.values()) if (binding.kind === "from") return false;
    if (detail.facts.exportStars.length > 0) return false;
    for (const imported of detail.facts.imports.values()) {
      if (imported.imported === "*") {
        if (names.readMembers.has(local) || names.readMembers.has("?") || names.usedAsValue.has(imported.local)) return false;
        continue;
      }
      if (!names.usedAsValue.has(imported.local)) continue;
      const origin = findOrigin(app, unit, imported.imported);
      if (origin.kind === "binding" && origin.unit === unit && origin.local === local) return false;
    }
  }
  return true;
}

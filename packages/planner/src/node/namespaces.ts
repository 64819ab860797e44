import { detailOf, findOrigin, reachersOf, resolveUnit, type AppShape } from "./app.ts";
import type { Changes } from "./change.ts";
import type { ExportBinding } from "./facts.ts";
import type { Findings } from "./findings.ts";

/** True if a unit gives, or takes, other names than before. */
export function exportsDiffer(boot: AppShape, target: AppShape, unit: string): boolean {
  const old = detailOf(boot, unit)?.facts;
  const now = detailOf(target, unit)?.facts;
  if (old === undefined || now === undefined) return old !== now;
  return (
    !isSame(old.exports, now.exports, isSameExport) ||
    !isSame(old.imports, now.imports, (a, b) => a.specifier === b.specifier && a.imported === b.imported) ||
    old.exportStars.length !== now.exportStars.length || old.exportStars.some((specifier, at) => specifier !== now.exportStars[at])
  );
}

/** The same names in the same order, and the same of each. */
function isSame<T>(a: ReadonlyMap<string, T>, b: ReadonlyMap<string, T>, isEqual: (a: T, b: T) => boolean): boolean {
  if (a.size !== b.size) return false;
  const others = b.entries();
  for (const [name, value] of a) {
    const [other, its] = others.next().value!;
    if (name !== other || !isEqual(value, its)) return false;
  }
  return true;
}

function isSameExport(a: ExportBinding, b: ExportBinding): boolean {
  if (a.kind === "local") return b.kind === "local" && a.local === b.local;
  return b.kind === "from" && a.specifier === b.specifier && a.imported === b.imported;
}

/** An object that stands for a whole module cannot be given new exports, nor new values for constants. */
export function checkNamespaces(boot: AppShape, target: AppShape, differing: readonly string[], changes: Changes, findings: Findings): void {
  for (const unit of new Set([...differing, ...changes.keys()])) {
    if (!exportsChange(boot, target, unit, changes)) continue;
    for (const path of reachersOf(target, unit)) checkWhole(unit, path, boot, target, findings);
    const open = openImporter(boot) ?? openImporter(target, differing);
    if (open !== null) findings.block(unit, `${open} imports a module whose name is computed, which may be this one`, []);
  }
}

function exportsChange(boot: AppShape, target: AppShape, unit: string, changes: Changes): boolean {
  const now = detailOf(target, unit)?.facts.exports;
  const before = detailOf(boot, unit)?.facts.exports;
  if (now === undefined) return false;
  if (before !== undefined) for (const name of before.keys()) if (!now.has(name)) return true;
  for (const [name, binding] of now) {
    const former = before?.get(name);
    if (former === undefined || former.kind !== binding.kind) return true;
    if (binding.kind === "local" && (changes.get(unit)?.has(binding.local) || (former.kind === "local" && former.local !== binding.local))) return true;
    if (binding.kind === "from" && former.kind === "from" && (former.specifier !== binding.specifier || former.imported !== binding.imported)) return true;
    if (binding.kind === "from") {
      const from = resolveUnit(target, unit, binding.specifier);
      const origin = from === null ? null : findOrigin(target, from, binding.imported);
      if (origin?.kind === "binding" && changes.get(origin.unit)?.has(origin.local)) return true;
    }
  }
  return false;
}

/** `path` may hold the object that stands for `unit`, or for one that re-exports all of it. */
function checkWhole(unit: string, path: string, boot: AppShape, target: AppShape, findings: Findings): void {
  const block = (how: string): void => findings.block(unit, `${path} ${how} it as a whole, and a module object cannot gain, lose or change exports`, []);
  for (const app of [boot, target]) {
    const analysis = app.units.get(path);
    if (analysis === undefined) continue;
    const reaches = (specifier: string): boolean => {
      const found = resolveUnit(app, path, specifier);
      return found === unit || (found !== null && reachersOf(app, unit).has(found));
    };
    for (const { specifier, kind } of analysis.imports) if (kind !== "static" && reaches(specifier)) return block(kind === "dynamic" ? "imports" : "requires");
    if (analysis.detail === null) {
      if (analysis.imports.some(({ specifier }) => reaches(specifier))) return block("is not instrumented and imports");
      continue;
    }
    for (const imported of analysis.detail.facts.imports.values()) if (imported.imported === "*" && reaches(imported.specifier)) return block("imports");
    for (const exported of analysis.detail.facts.exports.values()) if (exported.kind === "from" && exported.imported === "*" && reaches(exported.specifier)) return block("exports");
  }
}

const openImporters = new WeakMap<AppShape, string | null>();

/** A unit that imports by a computed name; null if there is none. */
function openImporter(app: AppShape, among?: readonly string[]): string | null {
  if (among !== undefined) return among.find((unit) => detailOf(app, unit)?.hasOpenImport === true) ?? null;
  let found = openImporters.get(app);
  if (found === undefined) {
    found = [...app.units].find(([, { detail }]) => detail?.hasOpenImport === true)?.[0] ?? null;
    openImporters.set(app, found);
  }
  return found;
}

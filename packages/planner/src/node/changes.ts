import { detailOf, findOrigin, resolveUnit, type AppShape } from "./app.ts";
import type { UnitDetail } from "./analyze.ts";
import { isInSite, type Declaration } from "./facts.ts";
import type { Findings } from "./findings.ts";
import { findMutations, tableShape } from "./mutation.ts";
import { referencesIn } from "./scope.ts";

/** How a binding of a unit differs from the boot shape. */
export type Change = "function" | "const" | "let" | "class" | "import";
export type Changes = ReadonlyMap<string, ReadonlyMap<string, Change>>;

/**
 * Finds which module-level bindings differ between two shapes of an app, and, until nothing more is found, which
 * differ because they read one that does. Whatever cannot be carried over is reported as a blocker.
 */
export function findChanges(boot: AppShape, target: AppShape, differing: readonly string[], findings: Findings): Changes {
  const changes = new Map<string, Map<string, Change>>();
  const of = (unit: string): Map<string, Change> => {
    let map = changes.get(unit);
    if (map === undefined) changes.set(unit, (map = new Map()));
    return map;
  };
  for (const unit of differing) {
    const before = detailOf(boot, unit);
    const after = detailOf(target, unit);
    if (before && after) compareUnit(unit, before, after, target, of(unit), findings);
  }
  spread(boot, target, changes, of, findings);
  for (const [unit, changed] of changes) if (changed.size > 0) checkReaders(unit, target, changed, findings);
  checkNamespaces(boot, target, differing, changes, findings);
  return changes;
}

function compareUnit(unit: string, before: UnitDetail, after: UnitDetail, target: AppShape, changed: Map<string, Change>, findings: Findings): void {
  const old = before.facts;
  const now = after.facts;
  const line = (declaration: { line: number }): string => `${unit}:${declaration.line}`;
  compareEffects(unit, old.effects, now.effects, findings);
  for (const [name, declaration] of now.declarations) {
    const former = old.declarations.get(name);
    if (former === undefined) {
      if (old.imports.has(name)) {
        findings.block(unit, `${name} was imported and is now declared here: what holds the imported one keeps it`, [line(declaration)]);
      } else addBinding(unit, declaration, changed, findings);
      continue;
    }
    if (former.kind !== declaration.kind || former.isFunctionValue !== declaration.isFunctionValue) {
      findings.block(unit, `${name} was a ${kindOf(former)} and is now a ${kindOf(declaration)}`, [line(declaration)]);
    } else if (former.skeleton === declaration.skeleton) continue;
    else if (declaration.kind === "class") findings.block(unit, `class ${name}: fields, heritage or static parts changed; live instances keep the old shape`, [line(declaration)]);
    else if (declaration.isFunctionValue) findings.block(unit, `${name} changed from one kind of function to another`, [line(declaration)]);
    else if (declaration.kind === "const") changeConst(unit, former, declaration, target, changed, findings);
    else findings.block(unit, `${declaration.kind} ${name}: its first value changed, but it may have been assigned since`, [line(declaration)]);
  }
  for (const [local, imported] of now.imports) {
    const former = old.imports.get(local);
    if (former?.specifier === imported.specifier && former.imported === imported.imported) continue;
    if (former === undefined && old.declarations.has(local)) {
      findings.block(unit, `${local} was declared here and is now imported: what holds the old one keeps it`, []);
    } else changed.set(local, "import");
  }
  for (const name of [...old.declarations.keys(), ...old.imports.keys()]) {
    if (now.declarations.has(name) || now.imports.has(name)) continue;
    if (old.declarations.has(name)) findings.redefine(unit, `${kindOf(old.declarations.get(name)!)} ${name} removed`);
    if (after.scopes.byName.get(name)?.some((ref) => ref.where === "global") === true) {
      findings.block(unit, `${name} is no longer declared here, and what remains of it means the global of that name`, []);
    }
  }
}

function kindOf(declaration: Declaration): string {
  return declaration.isFunctionValue && declaration.kind !== "function" ? `${declaration.kind} function` : declaration.kind;
}

function compareEffects(unit: string, old: readonly { text: string; line: number }[], now: readonly { text: string; line: number }[], findings: Findings): void {
  if (old.length === now.length && old.every((effect, i) => effect.text === now[i]!.text)) return;
  const at = now.find((effect) => !old.some((o) => o.text === effect.text)) ?? now[0] ?? old[0]!;
  findings.block(unit, "code at the top level changed, and it ran when the process started", [`${unit}:${at.line}  ${at.text.split("\n")[0]!.slice(0, 60)}`]);
}

function addBinding(unit: string, declaration: Declaration, changed: Map<string, Change>, findings: Findings): void {
  const { name, kind } = declaration;
  if (declaration.isPattern || !declaration.isPure) {
    findings.block(unit, `new ${kind} ${name}: its initialiser may have effects`, [`${unit}:${declaration.line}`]);
  } else if (kind === "function" || declaration.isFunctionValue) {
    if (kind === "let" || kind === "var") findings.block(unit, `new ${kind} ${name} holds a function that may be assigned again`, [`${unit}:${declaration.line}`]);
    else changed.set(name, "function");
  } else changed.set(name, kind === "var" ? "let" : kind);
  findings.redefine(unit, `new ${kind === "function" || declaration.isFunctionValue ? `function ${name}()` : `${kind} ${name}`}`);
}

function changeConst(unit: string, former: Declaration, declaration: Declaration, target: AppShape, changed: Map<string, Change>, findings: Findings): void {
  const { name } = declaration;
  const evidence = [`${unit}:${declaration.line}`];
  if (declaration.isPattern) findings.block(unit, `${name} is taken out of a value that changed`, evidence);
  else if (!former.isPure || !declaration.isPure) findings.block(unit, `const ${name}: its initialiser may have effects, or holds what the process built up`, evidence);
  else {
    const blocker = stateIn(former, unit, target);
    if (blocker !== null) findings.block(unit, `const ${name} may hold state: ${blocker}`, evidence);
    else {
      changed.set(name, "const");
      findings.redefine(unit, `const ${name} changed`);
    }
  }
}

/** Why a table may have been changed since it was made, somewhere in the app; null if nothing could have. */
function stateIn(declaration: Declaration, unit: string, app: AppShape): string | null {
  if (declaration.value === null) return null;
  const { isTable, properties } = tableShape(declaration.value);
  if (!isTable) return null;
  if (/^new (Weak)?(Map|Set)\(\s*\)$|^\[\s*\]$|^\{\s*\}$/.test(declaration.skeleton)) return "it starts empty";
  for (const [path, analysis] of app.units) {
    if (!analysis.detail) continue;
    const mutations = findMutations(analysis.detail);
    if (path === unit && mutations.roots.has(declaration.name)) return `${path} changes it`;
    const assigned = [...properties].find((property) => mutations.properties.has(property));
    if (assigned !== undefined) return `${path} assigns a property named ${assigned}`;
    for (const imported of analysis.detail.facts.imports.values()) {
      if (imported.imported !== declaration.name || !mutations.roots.has(imported.local)) continue;
      return `${path} changes it`;
    }
  }
  return null;
}

/** Carries changes on to constants and importers that read them, until a round finds nothing. */
function spread(boot: AppShape, target: AppShape, changes: ReadonlyMap<string, Map<string, Change>>, of: (unit: string) => Map<string, Change>, findings: Findings): void {
  for (let again = [...changes.values()].some((map) => map.size > 0); again; ) {
    again = false;
    for (const [unit, analysis] of target.units) {
      if (!boot.units.has(unit)) continue;
      if (!analysis.detail) continue;
      for (const [local, imported] of analysis.detail.facts.imports) {
        if (changes.get(unit)?.has(local) || imported.imported === "*") continue;
        const from = resolveUnit(target, unit, imported.specifier);
        if (from === null) continue;
        const origin = findOrigin(target, from, imported.imported);
        if (origin.kind !== "binding" || !changes.get(origin.unit)?.has(origin.local)) continue;
        of(unit).set(local, "import");
        findings.redefine(unit, `reads ${imported.imported} of ${origin.unit}, which changed`);
        again = true;
      }
      const changed = changes.get(unit);
      if (changed && changed.size > 0 && spreadToConstants(unit, analysis.detail, target, changed, findings)) again = true;
    }
  }
}

function spreadToConstants(unit: string, detail: UnitDetail, target: AppShape, changed: Map<string, Change>, findings: Findings): boolean {
  let found = false;
  for (const [name, declaration] of detail.facts.declarations) {
    if (changed.has(name) || declaration.value === null || declaration.isFunctionValue || declaration.kind === "class") continue;
    if (!readsInOwn(detail, declaration.value.start, declaration.value.end, changed)) continue;
    const blocker = declaration.kind !== "const" || !declaration.isPure || declaration.isPattern ? "it is not a constant whose initialiser is free of effects" : stateIn(declaration, unit, target);
    if (blocker !== null) findings.block(unit, `${name} was computed from a value that changed: ${blocker}`, [`${unit}:${declaration.line}`]);
    else {
      changed.set(name, "const");
      findings.redefine(unit, `const ${name} is computed anew`);
      found = true;
    }
  }
  return found;
}

/** True if the range reads a changed binding outside of the functions that are sites. */
function readsInOwn({ facts, scopes }: UnitDetail, start: number, end: number, changed: ReadonlyMap<string, Change>): boolean {
  return referencesIn(scopes.references, start, end).some((ref) => ref.where !== "local" && changed.has(ref.name) && !isInSite(facts, ref.start));
}

/** Code that ran already must not have read what changed. */
function checkReaders(unit: string, target: AppShape, changed: ReadonlyMap<string, Change>, findings: Findings): void {
  const detail = detailOf(target, unit);
  if (!detail) return;
  for (const ref of detail.scopes.references) {
    if (ref.where === "local" || ref.role === "export" || !changed.has(ref.name) || isInSite(detail.facts, ref.start)) continue;
    const inside = [...detail.facts.declarations.values()].find((declaration) => ref.start >= declaration.start && ref.start < declaration.end);
    if (inside !== undefined && inside.kind !== "class" && changed.has(inside.name)) continue;
    if (inside !== undefined && inside.kind === "class" && changed.get(inside.name) === "class") continue;
    findings.block(unit, `${ref.name} is read by code that ran when the process started`, inside ? [`${unit}:${inside.line}  ${inside.name}`] : []);
  }
}

/** An object that stands for a whole module cannot be given new exports, nor new values for constants. */
function checkNamespaces(boot: AppShape, target: AppShape, differing: readonly string[], changes: Changes, findings: Findings): void {
  const affected = new Set<string>();
  for (const unit of differing) {
    const now = detailOf(target, unit)?.facts.exports;
    for (const name of detailOf(boot, unit)?.facts.exports.keys() ?? []) if (now?.has(name) === false) affected.add(unit);
  }
  for (const [unit, changed] of changes) {
    const facts = detailOf(target, unit)?.facts;
    const exportsBefore = detailOf(boot, unit)?.facts.exports;
    if (!facts) continue;
    for (const [name, binding] of facts.exports) {
      if (!exportsBefore?.has(name) || (binding.kind === "local" && changed.has(binding.local))) affected.add(unit);
    }
  }
  if (affected.size === 0) return;
  for (const [path, analysis] of target.units) {
    const reach = (specifier: string, how: string): void => {
      const unit = resolveUnit(target, path, specifier);
      if (unit !== null && affected.has(unit)) findings.block(unit, `${path} ${how} it as a whole, and a module object cannot gain, lose or change exports`, []);
    };
    for (const { specifier, kind } of analysis.imports) if (kind !== "static") reach(specifier, kind === "dynamic" ? "imports" : "requires");
    if (!analysis.detail) {
      for (const { specifier, kind } of analysis.imports) if (kind === "static") reach(specifier, "is not instrumented and imports");
      continue;
    }
    if (analysis.detail.hasOpenImport) findings.block([...affected][0]!, `${path} imports a module whose name is computed, which may be this one`, []);
    for (const imported of analysis.detail.facts.imports.values()) if (imported.imported === "*") reach(imported.specifier, "imports");
    for (const exported of analysis.detail.facts.exports.values()) if (exported.kind === "from" && exported.imported === "*") reach(exported.specifier, "exports");
  }
}

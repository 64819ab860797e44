import { detailOf, findOrigin, reachersOf, resolveUnit, type AppShape, type Origin } from "./app.ts";
import type { UnitDetail } from "./analyze.ts";
import type { Change, Changes } from "./change.ts";
import { compareEffects } from "./effects.ts";
import { isInSite, type Declaration } from "./facts.ts";
import { requiredAnew } from "./required.ts";
import { checkFamilies } from "./families.ts";
import type { Findings } from "./findings.ts";
import { checkEvaluation } from "./graph.ts";
import { stateIn } from "./state.ts";
import { checkNamespaces, exportsDiffer } from "./namespaces.ts";
import { namesOf } from "./names.ts";
import { makesClosures, mayBeHeld } from "./held.ts";
import { movedIn, readTooEarly } from "./readings.ts";
import { compareKept } from "./reload.ts";
import { variablesOf } from "./reload-steps.ts";
import { referencesIn } from "./scope.ts";
import { checkStartOrder } from "./start-order.ts";

/**
 * Finds which module-level bindings differ between two shapes of an app, and, until nothing more is found, which
 * differ because they read one that does. Whatever cannot be carried over is reported as a blocker.
 */
export function findChanges(boot: AppShape, target: AppShape, differing: readonly string[], findings: Findings, reloaded: ReadonlySet<string> = new Set()): Changes {
  const changes = new Map<string, Map<string, Change>>();
  const of = (unit: string): Map<string, Change> => {
    let map = changes.get(unit);
    if (map === undefined) changes.set(unit, (map = new Map()));
    return map;
  };
  for (const unit of new Set([...differing, ...reloaded])) {
    const before = detailOf(boot, unit);
    const after = detailOf(target, unit);
    if (before && after) compareUnit(unit, before, after, boot, target, of(unit), findings, reloaded.has(unit));
    checkEvaluation(unit, boot, target, findings);
  }
  spread(boot, target, differing, changes, of, findings, reloaded);
  for (const [unit, changed] of changes) if (changed.size > 0 && !reloaded.has(unit)) checkReaders(unit, target, changed, findings);
  checkNamespaces(boot, target, differing, changes, findings);
  return changes;
}

function compareUnit(unit: string, before: UnitDetail, after: UnitDetail, boot: AppShape, target: AppShape, changed: Map<string, Change>, findings: Findings, isReloaded: boolean): void {
  const old = before.facts;
  const now = after.facts;
  const line = (declaration: { line: number }): string => `${unit}:${declaration.line}`;
  const anew = requiredAnew(unit, boot, target);
  const requires = new Set([...anew.keys()].map((name) => now.declarations.get(name)!.start));
  const boundAgain = isReloaded ? new Set([...variablesOf(before), ...variablesOf(after)]) : new Set<string>();
  if (isReloaded) compareKept(unit, before, after, findings);
  else compareEffects(unit, old.effects, now.effects.filter(({ start }) => !requires.has(start)), findings);
  checkFamilies(unit, before, after, findings);
  checkStartOrder(unit, before, after, target, findings);
  for (const [name, declaration] of now.declarations) {
    const former = old.declarations.get(name);
    const early = readTooEarly(declaration, unit, target, former?.skeleton !== declaration.skeleton);
    if (early !== null) findings.block(unit, `a process that starts with it would end, or find nothing there: ${kindOf(declaration)} ${name}: ${early}`, [line(declaration)]);
    if (former === undefined) {
      if (old.imports.has(name)) {
        findings.block(unit, `${name} was imported and is now declared here: what holds the imported one keeps it`, [line(declaration)]);
      } else if (boundAgain.has(name)) changed.set(name, "let");
      else if (anew.has(name)) {
        changed.set(name, "import");
        findings.redefine(unit, `require of ${anew.get(name)!}`);
      }
      else addBinding(unit, declaration, target, changed, findings);
      continue;
    }
    if (boundAgain.has(name) && !former.isFunctionValue && !declaration.isFunctionValue && former.kind !== "class" && declaration.kind !== "class" && former.kind !== "function" && declaration.kind !== "function") continue;
    if (former.kind !== declaration.kind || former.isFunctionValue !== declaration.isFunctionValue) {
      findings.block(unit, `${name} was a ${kindOf(former)} and is now a ${kindOf(declaration)}`, [line(declaration)]);
    } else if (former.skeleton === declaration.skeleton) continue;
    else if (declaration.kind === "class") findings.block(unit, `class ${name}: fields, heritage or static parts changed; live instances keep the old shape`, [line(declaration)]);
    else if (declaration.isFunctionValue) findings.block(unit, `${name} changed from one kind of function to another`, [line(declaration)]);
    else if (now.sites.classes.has(name)) findings.block(unit, `class ${name}: fields, heritage or static parts changed; live instances keep the old shape`, [line(declaration)]);
    else if (former.isFixed && declaration.isFixed) changeConst(unit, former, declaration, boot, target, changed, findings);
    else findings.block(unit, `${declaration.kind} ${name}: its first value changed, but it may have been assigned since`, [line(declaration)]);
  }
  for (const [local, imported] of now.imports) {
    const former = old.imports.get(local);
    if (former?.specifier === imported.specifier && former.imported === imported.imported) continue;
    if (former === undefined && old.declarations.has(local)) {
      findings.block(unit, `${local} was declared here and is now imported: what holds the old one keeps it`, []);
    } else {
      changed.set(local, "import");
      checkHolders(unit, local, boot, findings);
      findings.redefine(unit, `import of ${imported.imported === "*" ? "all" : imported.imported} from ${imported.specifier}`);
    }
  }
  for (const name of [...old.declarations.keys(), ...old.imports.keys()]) {
    if (now.declarations.has(name) || now.imports.has(name)) continue;
    const gone = old.declarations.get(name);
    const maker = gone?.isFunctionValue === true ? old.byKey.get(name) : undefined;
    if (maker !== undefined && makesClosures(maker)) findings.block(unit, `function ${name} is gone, and closures that it made go on with its text`, [`${unit}:${gone!.line}`]);
    if (gone !== undefined && mayBeHeld(boot, unit, gone)) findings.block(unit, `${kindOf(gone)} ${name} is gone, and who has ${gone.kind === "class" ? "an instance" : "it"} goes on with it`, [`${unit}:${gone.line}`]);
    if (gone !== undefined) findings.redefine(unit, `${kindOf(gone)} ${name} removed`);
    if (after.scopes.byName.get(name)?.some((ref) => ref.where === "global") === true) {
      findings.block(unit, `${name} is no longer declared here, and what remains of it means the global of that name`, []);
    }
  }
}

/** How a declaration is called to people: `const function`, `class`. */
export function kindOf(declaration: Declaration): string {
  return declaration.isFunctionValue && declaration.kind !== "function" ? `${declaration.kind} function` : declaration.kind;
}

function addBinding(unit: string, declaration: Declaration, target: AppShape, changed: Map<string, Change>, findings: Findings): void {
  const { name, kind } = declaration;
  if (declaration.builtin !== null) changed.set(name, "import");
  else if (declaration.isPattern || !declaration.isPure) {
    findings.block(unit, `new ${kind} ${name}: its initialiser may have effects`, [`${unit}:${declaration.line}`]);
  } else if (kind === "function" || declaration.isFunctionValue) {
    if (kind !== "function" && !declaration.isFixed) findings.block(unit, `new ${kind} ${name} holds a function that may be assigned again`, [`${unit}:${declaration.line}`]);
    else changed.set(name, "function");
  } else {
    const moved = movedIn(declaration, unit, target);
    if (moved !== null) findings.block(unit, `new ${kind} ${name}: ${moved}`, [`${unit}:${declaration.line}`]);
    changed.set(name, declaration.isFixed ? "const" : kind === "var" ? "let" : kind);
  }
  findings.redefine(unit, `new ${kind === "function" || declaration.isFunctionValue ? `function ${name}()` : `${kind} ${name}`}`);
}

function changeConst(unit: string, former: Declaration, declaration: Declaration, boot: AppShape, target: AppShape, changed: Map<string, Change>, findings: Findings): void {
  const { name } = declaration;
  const evidence = [`${unit}:${declaration.line}`];
  if (declaration.isPattern) findings.block(unit, `${name} is taken out of a value that changed`, evidence);
  else if (!former.isPure || !declaration.isPure) findings.block(unit, `const ${name}: its initialiser may have effects, or holds what the process built up`, evidence);
  else {
    const blocker = stateIn(former, unit, boot) ?? stateIn(declaration, unit, target);
    const moved = movedIn(declaration, unit, target);
    if (blocker !== null) findings.block(unit, `const ${name} may hold state: ${blocker}`, evidence);
    else if (moved !== null) findings.block(unit, `const ${name}: ${moved}`, evidence);
    else {
      changed.set(name, "const");
      findings.redefine(unit, `const ${name} changed`);
    }
  }
}

/** Carries changes on to constants and importers that read them, until nothing more is found. */
function spread(boot: AppShape, target: AppShape, differing: readonly string[], changes: ReadonlyMap<string, Map<string, Change>>, of: (unit: string) => Map<string, Change>, findings: Findings, reloaded: ReadonlySet<string>): void {
  const open = new Set([...changes].filter(([, map]) => map.size > 0).map(([unit]) => unit));
  const isDiffering = new Set(differing);
  const reexports = differing.filter((unit) => exportsDiffer(boot, target, unit));
  for (const unit of reexports) for (const path of reachersOf(target, unit)) open.add(path);
  for (const unit of open) {
    // Removed and added again, so that it is looked at once more if it changes later.
    open.delete(unit);
    const detail = detailOf(target, unit);
    if (detail === null || !boot.units.has(unit)) continue;
    let isMore = reimport(unit, boot, target, changes, of, findings);
    const changed = changes.get(unit);
    // Where the top level runs again, whatever it computes is computed anew.
    if (changed && changed.size > 0 && !reloaded.has(unit)) while (spreadToConstants(unit, detail, boot, target, changed, findings)) isMore = true;
    if (isMore || isDiffering.has(unit)) for (const path of reachersOf(target, unit)) if (reimport(path, boot, target, changes, of, findings)) open.add(path);
  }
}

/** Finds imports of a unit that stand for something else now, or for something that changed. */
function reimport(unit: string, boot: AppShape, target: AppShape, changes: Changes, of: (unit: string) => Map<string, Change>, findings: Findings): boolean {
  const detail = detailOf(target, unit);
  const former = detailOf(boot, unit);
  if (detail === null || former === null) return false;
  let isMore = false;
  for (const [local, imported] of detail.facts.imports) {
    if (changes.get(unit)?.has(local) || imported.imported === "*") continue;
    const from = resolveUnit(target, unit, imported.specifier);
    if (from === null) continue;
    const origin = findOrigin(target, from, imported.imported);
    const isChanged = origin.kind === "binding" && changes.get(origin.unit)?.has(origin.local) === true;
    if (!isChanged && isSameOrigin(origin, originBefore(boot, unit, former, local))) continue;
    of(unit).set(local, "import");
    if (!isChanged) checkHolders(unit, local, boot, findings);
    findings.redefine(unit, isChanged ? `reads ${imported.imported} of ${origin.unit}, which changed` : `${imported.imported} of ${from} is something else now`);
    isMore = true;
  }
  return isMore;
}

/** What an import stood for may be held by somebody, who would keep it. */
function checkHolders(unit: string, local: string, boot: AppShape, findings: Findings): void {
  const before = detailOf(boot, unit);
  const imported = before?.facts.imports.get(local);
  if (before === null || imported === undefined) return;
  const from = resolveUnit(boot, unit, imported.specifier);
  const origin = from === null ? null : findOrigin(boot, from, imported.imported);
  const declaration = origin?.kind === "binding" ? detailOf(boot, origin.unit)?.facts.declarations.get(origin.local) : undefined;
  if (declaration?.kind === "class") findings.block(unit, `${local} is another class now, and instances of the former may be alive`);
  else if (namesOf(before).usedAsValue.has(local) && declaration?.isFunctionValue !== false) findings.block(unit, `${local} is something else now, and what holds the former keeps it`);
}

function originBefore(boot: AppShape, unit: string, { facts }: UnitDetail, local: string): Origin {
  const imported = facts.imports.get(local);
  const from = imported === undefined ? null : resolveUnit(boot, unit, imported.specifier);
  return from === null ? { kind: "missing" } : findOrigin(boot, from, imported!.imported);
}

function isSameOrigin(a: Origin, b: Origin): boolean {
  if (a.kind === "binding" && b.kind === "binding") return a.unit === b.unit && a.local === b.local;
  return a.kind === b.kind;
}

function spreadToConstants(unit: string, detail: UnitDetail, boot: AppShape, target: AppShape, changed: Map<string, Change>, findings: Findings): boolean {
  let found = false;
  for (const [name, declaration] of detail.facts.declarations) {
    if (changed.has(name) || declaration.value === null || declaration.isFunctionValue || declaration.kind === "class") continue;
    if (!readsInOwn(detail, declaration.value.start, declaration.value.end, changed)) continue;
    const blocker = !declaration.isFixed || !declaration.isPure || declaration.isPattern ? "it is not a constant whose initialiser is free of effects" : (stateIn(declaration, unit, boot) ?? stateIn(declaration, unit, target) ?? movedIn(declaration, unit, target));
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

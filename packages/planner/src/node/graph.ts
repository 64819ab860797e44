import { detailOf, importersOf, resolveUnit, type AppShape } from "./app.ts";
import type { Declaration } from "./facts.ts";
import type { UnitDetail } from "./analyze.ts";
import type { Findings } from "./findings.ts";

/** What a cold start would evaluate in another order, or not at all, because a unit imports otherwise than it did. */
export function checkEvaluation(unit: string, boot: AppShape, target: AppShape, findings: Findings): void {
  const before = eagerOf(boot, unit);
  const after = eagerOf(target, unit);
  if (before.join("\n") !== after.join("\n")) checkLoadOrder(unit, boot, target, findings);
  const kept = after.filter((path) => before.includes(path));
  const order = before.filter((path) => kept.includes(path));
  const moved = order.filter((path, i) => kept[i] !== path && hasEffects(boot, path));
  if (moved.length > 1) findings.block(unit, `${moved.join(" and ")} do something when they are loaded, and would be loaded in another order`);
  for (const path of before) {
    if (after.includes(path) || !target.units.has(path)) continue;
    const lost = findLost(path, boot, target, new Set([unit]));
    if (lost !== null) findings.block(unit, `it no longer imports ${path}, and ${lost} did something when it was loaded`);
  }
}

/** Units that do something when they are loaded, or import each other in turn, and would be loaded in another order by somebody who loads this unit. */
function checkLoadOrder(unit: string, boot: AppShape, target: AppShape, findings: Findings): void {
  const seen = new Set([unit]);
  const [eagerBefore, eagerNow] = [onceEach((path) => eagerOf(boot, path)), onceEach((path) => eagerOf(target, path))];
  const isNoticed = onceEach((path) => hasEffects(boot, path) || isImportedInTurn(target, path, path));
  for (const root of seen) {
    const before = loadOrder(root, eagerBefore);
    const places = new Map(before.map((path, i) => [path, i]));
    let last: string | null = null;
    for (const path of loadOrder(root, eagerNow)) {
      const place = places.get(path);
      if (place === undefined && isEntry(boot, root) && isImportedLater(boot, path) && hasEffects(boot, path)) return findings.block(unit, `it imports otherwise than it did: ${path} does something when it is loaded, and was loaded later, if at all`);
      if (place === undefined || !isNoticed(path)) continue;
      if (last !== null && place < places.get(last)!) return findings.block(unit, `it imports otherwise than it did: ${last} and ${path} do something when they are loaded, or import each other in turn, and would be loaded in another order`);
      last = path;
    }
    for (const importer of importersOf(target).of(root)) seen.add(importer);
  }
}

function isEntry(app: AppShape, unit: string): boolean {
  return [...importersOf(app).of(unit)].every((importer) => !eagerOf(app, importer).includes(unit));
}

/** True if some code imports the unit when it is called. */
function isImportedLater(app: AppShape, unit: string): boolean {
  return [...importersOf(app).of(unit)].some((importer) => app.units.get(importer)!.imports.some(({ specifier, isEager }) => !isEager && resolveUnit(app, importer, specifier) === unit));
}

/** What loading a unit loads, in the order in which it runs. */
function loadOrder(root: string, eager: (path: string) => readonly string[]): readonly string[] {
  const seen = new Set<string>();
  const order: string[] = [];
  const visit = (path: string): void => {
    if (seen.has(path)) return;
    seen.add(path);
    for (const next of eager(path)) visit(next);
    order.push(path);
  };
  visit(root);
  return order;
}

function onceEach<T>(make: (path: string) => T): (path: string) => T {
  const made = new Map<string, T>();
  return (path) => {
    let one = made.get(path);
    if (one === undefined) made.set(path, (one = make(path)));
    return one;
  };
}

function eagerOf(app: AppShape, unit: string): string[] {
  const paths = (app.units.get(unit)?.imports ?? []).filter((imported) => imported.isEager).map(({ specifier }) => resolveUnit(app, unit, specifier));
  return [...new Set(paths)].filter((path) => path !== null);
}

/** True if a unit that starts by loading `from` comes to `unit` by way of imports: `unit` itself counts only if it comes back to it. */
export function isImportedInTurn(app: AppShape, from: string, unit: string): boolean {
  const seen = new Set<string>();
  const open = eagerOf(app, from);
  for (let path = open.pop(); path !== undefined; path = open.pop()) {
    if (path === unit) return true;
    if (seen.has(path)) continue;
    seen.add(path);
    open.push(...eagerOf(app, path));
  }
  return false;
}

function hasEffects(app: AppShape, unit: string): boolean {
  const detail = detailOf(app, unit);
  return detail === null || detail.facts.effects.length > 0;
}

/** A unit that nobody would load any more, and whose loading had effects. */
function findLost(path: string, boot: AppShape, target: AppShape, seen: Set<string>): string | null {
  seen.add(path);
  for (const importer of importersOf(target).of(path)) if (!seen.has(importer) || eagerOf(target, importer).includes(path)) return null;
  if (hasEffects(boot, path)) return path;
  for (const next of eagerOf(boot, path)) {
    const lost = seen.has(next) ? null : findLost(next, boot, target, seen);
    if (lost !== null) return lost;
  }
  return null;
}

/** A variable that went away while another came may be the same one under another name, and what it held would be lost. */
export function checkMovedState(boot: AppShape, target: AppShape, units: readonly string[], findings: Findings): void {
  const gone: { unit: string; name: string }[] = [];
  const come: { unit: string; name: string }[] = [];
  for (const unit of units) {
    const before = detailOf(boot, unit);
    const after = detailOf(target, unit);
    for (const [name, declaration] of before?.facts.declarations ?? []) if (!after?.facts.declarations.has(name) && holdsState(before!, declaration)) gone.push({ unit, name });
    for (const [name, declaration] of after?.facts.declarations ?? []) if (!before?.facts.declarations.has(name) && holdsState(after!, declaration)) come.push({ unit, name });
  }
  if (gone.length === 0 || come.length === 0) return;
  const [from, to] = [gone[0]!, come[0]!];
  findings.block(to.unit, `${to.name} is new and ${from.name}${from.unit === to.unit ? "" : ` of ${from.unit}`} is gone: what that one holds may be meant to live on here`, [`${to.unit}:${detailOf(target, to.unit)!.facts.declarations.get(to.name)!.line}`]);
}

/** A variable that is assigned, or a container that starts empty. */
function holdsState({ scopes }: UnitDetail, { kind, name, skeleton }: Declaration): boolean {
  if (kind === "let" || kind === "var") return scopes.byName.get(name)?.some((ref) => ref.where === "module" && ref.isWrite) === true;
  return kind === "const" && /^(new (Weak)?(Map|Set)\(\s*\)|\[\s*\]|\{\s*\})$/.test(skeleton);
}

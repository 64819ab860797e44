import type { UnitDetail } from "./analyze.ts";
import { calleeName } from "./callees.ts";
import { detailOf, findOrigin, reachersOf, resolveUnit, type AppShape } from "./app.ts";
import { isInSite, type Declaration } from "./facts.ts";
import type { Findings } from "./findings.ts";
import { isCarried, isExporting, namesMentioned } from "./hooks.ts";
import { isPure } from "./purity.ts";
import { movedIn } from "./readings.ts";
import { migratingNames, variablesOf } from "./reload-steps.ts";
import { referencesIn, type Reference } from "./scope.ts";
import type { Site } from "./sites.ts";
import type { Startup } from "./startup.ts";
import { stateIn } from "./state.ts";
import { isClass, type Node } from "./syntax.ts";

/** Why a unit's hooks cannot carry it, as far as the unit alone shows; null if they can. */
export function hookProblem(unit: string, boot: AppShape, target: AppShape): string | null {
  const details = [target, boot].map((app) => [app, detailOf(app, unit)] as const);
  if (details.some(([, detail]) => detail === null)) return "no hook can carry it";
  const declaring = details.filter(([, detail]) => detail!.hooks !== null).length;
  const hot = target.units.get(unit)!.format === "esm" ? "import.meta.hot" : "module.hot";
  if (declaring === 1) return `only one of the two texts declares hooks (${hot}.accept() and ${hot}.dispose())`;
  if (declaring === 0) return `the unit declares no hook; ${hot}.accept() and ${hot}.dispose() let its top level run again`;
  for (const [app, detail] of details) {
    const { problem } = detail!.hooks!;
    if (problem !== null) return problem;
    const lost = lostState(unit, detail!, app);
    if (lost !== null) return `its dispose() does not mention ${lost}, and what that holds would be lost`;
  }
  return null;
}

/** A variable that may hold what the process gathered, and that `dispose` neither carries over nor drops on purpose. */
function lostState(unit: string, { facts, hooks, program, scopes }: UnitDetail, app: AppShape): string | null {
  const migrating = migratingNames({ program, facts });
  const { format } = app.units.get(unit)!;
  const isCarriedValue = (value: Node | null): boolean =>
    value !== null && (isCarried(value, format) || (value.type === "CallExpression" && value.callee.type === "Identifier" && migrating.has(value.callee.name)));
  const mentioned = namesMentioned(hooks!.dispose!, program, scopes);
  for (const name of variablesOf({ program })) {
    if (mentioned.has(name)) continue;
    const declaration = facts.declarations.get(name);
    if (declaration === undefined || isCarriedValue(declaration.value)) continue;
    if (scopes.byName.get(name)?.some((ref) => ref.where === "module" && ref.isWrite && isInSite(facts, ref.start)) === true) return name;
    if (declaration.kind === "const" && stateIn(declaration, unit, app) !== null) return name;
    if (declaration.value !== null && makesObject(declaration.value, app.units.get(unit)!.source)) return name;
  }
  return null;
}

/** Calls that give a plain value, or what is the same each time. */
const givesValue = /^(Number|String|Boolean|BigInt|Symbol|parseInt|parseFloat|require|createRequire|fileURLToPath|pathToFileURL|join|resolve|dirname|basename|extname|now|toString|trim)$/;

/** True if it may make an object that others have come to know by now: a bus with listeners, a pool, a server. */
function makesObject(node: Node, source: string): boolean {
  switch (node.type) {
    case "LogicalExpression":
      return makesObject(node.left, source) || makesObject(node.right, source);
    case "ConditionalExpression":
      return makesObject(node.consequent, source) || makesObject(node.alternate, source);
    case "ChainExpression":
      return makesObject(node.expression, source);
    case "NewExpression":
      return !isPure({ ...node, arguments: [] }, source);
    case "CallExpression":
      return !isPure(node, source) && !givesValue.test(calleeName(node.callee));
    default:
      return false;
  }
}

/** Compares what a unit says beside what runs again: that must stay, or be something that a live process can take. */
export function compareKept(unit: string, before: UnitDetail, after: UnitDetail, findings: Findings): void {
  const exporting = ({ program, facts, text }: UnitDetail): string =>
    program.body.filter(isExporting).map(({ start, end }) => text.normalise(start, end, facts.topSites.map((site) => site.fn))).join("\n");
  if (exporting(before) !== exporting(after)) findings.block(unit, "what it exports by value changed, and importers keep what they were given");
  const bare = ({ program }: UnitDetail): string => program.body.flatMap((s) => (s.type === "ImportDeclaration" && s.specifiers.length === 0 ? [String(s.source.value)] : [])).join("\n");
  if (bare(before) !== bare(after)) findings.block(unit, "it imports other modules for what they do");
  for (const detail of [before, after]) {
    const { facts, program, scopes } = detail;
    const variables = variablesOf(detail);
    for (const statement of program.body) {
      if (!isExporting(statement)) continue;
      const copied = referencesIn(scopes.references, statement.start, statement.end).find((ref) => ref.where === "module" && variables.has(ref.name) && !isInSite(facts, ref.start));
      if (copied !== undefined) findings.block(unit, `it exports ${copied.name} by value, and importers keep the former`, [`${unit}:${detail.lines.of(copied.start)}`]);
    }
    for (const declaration of facts.declarations.values()) {
      if (declaration.kind !== "function" && declaration.isFunctionValue && declaration.kind !== "const" && scopes.byName.get(declaration.name)?.some((ref) => ref.where === "module" && ref.isWrite) === true) {
        findings.block(unit, `${declaration.name} holds a function and is assigned another`, [`${unit}:${declaration.line}`]);
      }
      if (declaration.value !== null && isClass(declaration.value) && !declaration.isPure) {
        findings.block(unit, `class ${declaration.name} does something when it is made, and a class is not made anew`, [`${unit}:${declaration.line}`]);
      }
      const read = declaration.value !== null && isClass(declaration.value) ? readOnce(declaration, detail, variables) : null;
      if (read !== null) findings.block(unit, `class ${declaration.name} read ${read} when it was made, and a class is not made anew`, [`${unit}:${declaration.line}`]);
    }
  }
}

/** A variable that a class reads while it is made: in what it extends, computed names, static fields and blocks. */
function readOnce({ value }: Declaration, { facts, scopes }: UnitDetail, variables: ReadonlySet<string>): string | null {
  if (value === null || !isClass(value)) return null;
  const perInstance = value.body.body.flatMap((member) => (member.type === "PropertyDefinition" && !member.static && member.value ? [member.value] : []));
  const isLater = (ref: Reference): boolean => isInSite(facts, ref.start) || perInstance.some(({ start, end }) => ref.start >= start && ref.end <= end);
  return referencesIn(scopes.references, value.start, value.end).find((ref) => ref.where === "module" && variables.has(ref.name) && !isLater(ref))?.name ?? null;
}

/** Whoever took a value of a reloaded unit while the process started keeps it, unless it runs again too. */
export function checkCopies(reloaded: ReadonlySet<string>, boot: AppShape, target: AppShape, startup: Startup, findings: Findings): void {
  for (const unit of reloaded) {
    for (const app of [boot, target]) {
      const detail = detailOf(app, unit);
      if (detail === null) continue;
      const names = new Set([...variablesOf(detail)].filter((name) => !isStable(name, unit, boot, target)));
      const exported = [...detail.facts.exports].find(([, binding]) => binding.kind === "local" && names.has(binding.local));
      checkReader(unit, detail, [...names].map((name) => [name, name]), unit, reloaded, app === boot ? startup : null, findings);
      for (const path of reachersOf(app, unit)) checkImporter(path, unit, names, exported?.[0] ?? null, app, reloaded, app === boot ? startup : null, findings);
      const open = [...app.units].find(([, other]) => other.detail?.hasOpenImport === true)?.[0];
      if (open !== undefined) findings.block(unit, `${open} imports a module whose name is computed, which may be another copy of this one`);
    }
  }
}

function checkImporter(path: string, unit: string, names: ReadonlySet<string>, exported: string | null, app: AppShape, reloaded: ReadonlySet<string>, startup: Startup | null, findings: Findings): void {
  const analysis = app.units.get(path)!;
  for (const { specifier, kind } of analysis.imports) {
    if (resolveUnit(app, path, specifier) !== unit) continue;
    if (/[?#]/.test(specifier)) return findings.block(unit, `${path} loads a copy of its own of it`);
    if (kind !== "static" && exported !== null) return findings.block(unit, `${path} ${kind === "require" ? "requires" : "imports"} it as a whole, and may keep its ${exported}`);
  }
  const { detail } = analysis;
  if (detail === null) {
    if (exported !== null) findings.block(unit, `${path} is not instrumented, and may keep its ${exported}`);
    return;
  }
  const locals: [local: string, name: string][] = [];
  for (const { local, specifier, imported } of detail.facts.imports.values()) {
    const from = resolveUnit(app, path, specifier);
    if (from === null) continue;
    if (imported === "*") {
      if (from === unit && exported !== null) locals.push([local, exported]);
      continue;
    }
    const origin = findOrigin(app, from, imported);
    if (origin.kind === "binding" && origin.unit === unit && names.has(origin.local)) locals.push([local, origin.local]);
  }
  checkReader(path, detail, locals, unit, reloaded, startup, findings);
}

function checkReader(path: string, detail: UnitDetail, locals: readonly (readonly [local: string, name: string])[], unit: string, reloaded: ReadonlySet<string>, startup: Startup | null, findings: Findings): void {
  const from = path === unit ? "" : ` of ${unit}`;
  for (const [local, name] of locals) {
    for (const ref of detail.scopes.byName.get(local) ?? []) {
      if (ref.where !== "module" || ref.role === "export") continue;
      const site = siteAround(detail, ref.start);
      if (site === null) {
        if (!reloaded.has(path)) findings.block(path, `${name}${from} is read by code that ran when the process started, and is made anew`, [`${path}:${detail.lines.of(ref.start)}`]);
        continue;
      }
      const caller = startup?.callerOf(site) ?? null;
      if (caller !== null) findings.block(path, `${site.key}() reads ${name}${from}, which is made anew, and may have run when the process started (called from ${caller})`, [`${path}:${detail.lines.of(ref.start)}`]);
    }
  }
}

/** The innermost function with a guard around a position. */
function siteAround({ facts }: UnitDetail, position: number): Site | null {
  let found: Site | null = null;
  let among: readonly Site[] = facts.topSites;
  for (;;) {
    const next: Site | undefined = among.find(({ fn }) => fn.start <= position && position < fn.end);
    if (next === undefined) return found;
    found = next;
    among = next.nested;
  }
}

/** True if the variable's value is the same however often it is made: then nobody minds a copy. */
function isStable(name: string, unit: string, boot: AppShape, target: AppShape): boolean {
  const [before, after] = [boot, target].map((app) => detailOf(app, unit)?.facts.declarations.get(name));
  if (before?.kind !== "const" || after?.kind !== "const" || !before.isPure || !after.isPure || before.isPattern || after.isPattern || before.skeleton !== after.skeleton) return false;
  return stateIn(before, unit, boot) === null && stateIn(after, unit, target) === null && movedIn(before, unit, boot) === null && movedIn(after, unit, target) === null;
}

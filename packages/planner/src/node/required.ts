import { detailOf, isBuiltin, resolveUnit, type AppShape } from "./app.ts";
import type { UnitDetail } from "./analyze.ts";
import { requiredLiteral } from "./purity.ts";
import { isFunction } from "./syntax.ts";

/**
 * Top-level constants of a unit that the boot shape has, by name, which are what a new module of CommonJS exports as a
 * whole, and that does no more than to make the one function that it exports.
 */
export function requiredAnew(unit: string, boot: AppShape, target: AppShape): ReadonlyMap<string, string> {
  const found = new Map<string, string>();
  const before = detailOf(boot, unit);
  const after = detailOf(target, unit);
  if (before === null || after === null || after.scopes.moduleNames.has("require")) return found;
  // A top level that runs again would look for the module at its own place.
  if (before.hooks !== null || after.hooks !== null) return found;
  for (const [name, { kind, value, isPattern, isFixed }] of after.facts.declarations) {
    const specifier = kind !== "const" || isPattern || !isFixed || before.facts.declarations.has(name) ? null : requiredLiteral(value);
    const from = specifier === null ? null : resolveUnit(target, unit, specifier);
    if (from !== null && !boot.units.has(from) && isOneFunction(from, target)) found.set(name, from);
  }
  return found;
}

/** True if a module of CommonJS needs nothing but Node's own, and all that it does is to export one function that it makes. */
export function isOneFunction(unit: string, app: AppShape): boolean {
  const detail = detailOf(app, unit);
  const analysis = app.units.get(unit);
  if (detail === null || analysis?.format !== "cjs" || detail.hasOpenImport || !analysis.imports.every(({ specifier, kind }) => kind === "require" && isBuiltin(specifier))) return false;
  if (![...detail.facts.declarations.values()].every((declaration) => declaration.isPure && declaration.kind !== "class")) return false;
  return !detail.scopes.moduleNames.has("module") && detail.program.body.filter((statement) => !isDeclaring(statement)).length === 1 && detail.program.body.some((statement) => exportsFunction(statement));
}

type Statement = UnitDetail["program"]["body"][number];

function isDeclaring(statement: Statement): boolean {
  return statement.type.endsWith("Declaration") || statement.type === "EmptyStatement" || (statement.type === "ExpressionStatement" && statement.directive === "use strict");
}

/** `module.exports = (…) => …` */
function exportsFunction(statement: Statement): boolean {
  if (statement.type !== "ExpressionStatement" || statement.expression.type !== "AssignmentExpression" || statement.expression.operator !== "=") return false;
  const { left, right } = statement.expression;
  return isFunction(right) && left.type === "MemberExpression" && !left.computed && left.object.type === "Identifier" && left.object.name === "module" && left.property.type === "Identifier" && left.property.name === "exports";
}

/** Who else loads it would look for it at its own place, where it is not. */
export function requiresOtherwise(unit: string, boot: AppShape, target: AppShape): string | null {
  for (const [path, analysis] of target.units) {
    if (analysis.detail?.hasOpenImport === true) return path;
    const known = new Set(requiredAnew(path, boot, target).values());
    const times = analysis.imports.filter(({ specifier }) => resolveUnit(target, path, specifier) === unit);
    if (times.some(({ kind }) => kind !== "require") || times.length > (known.has(unit) ? 1 : 0)) return path;
  }
  return null;
}

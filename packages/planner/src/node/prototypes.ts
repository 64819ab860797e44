import { detailOf, importersOf, resolveUnit, type AppShape } from "./app.ts";
import type { UnitDetail } from "./analyze.ts";
import type { Site } from "./sites.ts";
import { keyName, type Node } from "./syntax.ts";

/** What the methods of an object are called on, as far as the app's text tells. */
export type Receiver =
  /** Instances of a class, or of a function that is used as one. */
  | { readonly kind: "instances"; readonly of: Node }
  /** Objects that have it for their prototype, made one by one. */
  | { readonly kind: "heirs" }
  /** Perhaps the object itself, which is there from the start. */
  | { readonly kind: "itself" };

/** What `this` may be in a function of a unit. */
export function receiverOf(app: AppShape, unit: string, site: Site): Receiver {
  const detail = detailOf(app, unit)!;
  let outer = site;
  while (outer.owner !== null) outer = outer.owner;
  const made = outer.className === null ? undefined : detail.facts.sites.classes.get(outer.className);
  if (made !== undefined) return outer.member?.static === true ? { kind: "itself" } : { kind: "instances", of: made };
  const maker = /^([\w$]+)\.prototype\.[\w$]+$/.exec(outer.key)?.[1];
  const declared = maker === undefined ? undefined : detail.facts.byKey.get(maker);
  if (declared !== undefined) return { kind: "instances", of: declared.fn };
  return isOnlyPrototype(app, unit, detail, outer) ? { kind: "heirs" } : { kind: "itself" };
}

/**
 * `module.exports = { … }`, which all other units give to `Object.create` and do nothing else with, and which is not
 * called in its own unit either.
 */
function isOnlyPrototype(app: AppShape, unit: string, detail: UnitDetail, { fn }: Site): boolean {
  const exported = bodyOf(detail.program).map(exportedObject).find((found) => found !== null);
  if (exported === undefined || exported === null || fn.start < exported.object.start || fn.end > exported.object.end) return false;
  if (exported.name !== null && !detail.scopes.byName.get(exported.name)?.every((ref) => ref.where === "local" || !isUse(ref.parent, ref.start))) return false;
  if (detail.scopes.byName.get("exports")?.some((ref) => ref.role === "call" || isUse(ref.parent, ref.start)) === true) return false;
  let heirs = 0;
  for (const importer of importersOf(app).of(unit)) {
    const other = detailOf(app, importer);
    if (other === null || app.units.get(importer)!.format !== "cjs") return false;
    const names = namesFor(app, importer, other, unit);
    if (names === null) return false;
    for (const name of names) {
      for (const ref of other.scopes.byName.get(name) ?? []) {
        if (ref.where === "local") continue;
        if (!isCreating(ref.parent)) return false;
        heirs += 1;
      }
    }
  }
  return heirs > 0;
}

function bodyOf(program: Node): readonly Node[] {
  return program.type === "Program" ? program.body : [];
}

/** `module.exports = { … }`, `const proto = module.exports = { … }` */
function exportedObject(statement: Node): { readonly object: Node; readonly name: string | null } | null {
  const [declarator] = statement.type === "VariableDeclaration" ? statement.declarations : [];
  const value = statement.type === "ExpressionStatement" ? statement.expression : declarator?.init;
  if (value?.type !== "AssignmentExpression" || value.left.type !== "MemberExpression" || value.right.type !== "ObjectExpression") return null;
  const { object, property } = value.left;
  if (object.type !== "Identifier" || object.name !== "module" || keyName(property, value.left.computed) !== "exports") return null;
  return { object: value.right, name: declarator?.id.type === "Identifier" ? declarator.id.name : null };
}

/** The names under which a unit requires another; null if it does so otherwise, too. */
function namesFor(app: AppShape, importer: string, { program, scopes }: UnitDetail, unit: string): readonly string[] | null {
  const names: string[] = [];
  let bound = 0;
  for (const statement of bodyOf(program)) {
    if (statement.type !== "VariableDeclaration") continue;
    for (const { id, init } of statement.declarations) {
      if (init?.type !== "CallExpression" || init.callee.type !== "Identifier" || init.callee.name !== "require") continue;
      const [specifier] = init.arguments;
      if (specifier?.type !== "Literal" || resolveUnit(app, importer, String(specifier.value)) !== unit) continue;
      if (id.type !== "Identifier" || (statement.kind !== "const" && scopes.byName.get(id.name)?.some((ref) => ref.isWrite) === true)) return null;
      names.push(id.name);
      bound += 1;
    }
  }
  const all = app.units.get(importer)!.imports.filter(({ specifier }) => resolveUnit(app, importer, specifier) === unit);
  return all.length === bound ? names : null;
}

/** The object is read from, called, or put where it could be: other than to be given to a package's function or to get a property. */
function isUse(parent: Node, start: number): boolean {
  switch (parent.type) {
    case "CallExpression":
      return parent.callee.start === start;
    case "MemberExpression":
    case "BinaryExpression":
    case "VariableDeclarator":
    case "ExpressionStatement":
      return false;
    default:
      return true;
  }
}

/** `Object.create(x)` */
function isCreating(parent: Node): boolean {
  return parent.type === "CallExpression" && parent.callee.type === "MemberExpression" && parent.callee.object.type === "Identifier" && parent.callee.object.name === "Object" && keyName(parent.callee.property, parent.callee.computed) === "create";
}

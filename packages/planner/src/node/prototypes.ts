import { detailOf, importersOf, resolveUnit, type AppShape } from "./app.ts";
import type { UnitDetail } from "./analyze.ts";
import { isDefining } from "./defined.ts";
import { isReadMember } from "./members.ts";
import { siteAround } from "./member-index.ts";
import { moduleOf } from "./module-of.ts";
import type { Site } from "./sites.ts";
import { forEachChild, keyName, type Node } from "./syntax.ts";

/** What the methods of an object are called on, as far as the app's text tells. */
export type Receiver =
  /** Instances of a class, or of a function that is used as one. */
  | { readonly kind: "instances"; readonly of: Node }
  /** Objects that have it for their prototype, or its methods copied; `makers`: the functions that make them, null for a top level. */
  | { readonly kind: "heirs"; readonly makers: readonly (Site | null)[] }
  /** Perhaps the object itself, which is there from the start. */
  | { readonly kind: "itself" };

/** What `this` may be in a function of a unit. */
export function receiverOf(app: AppShape, unit: string, site: Site): Receiver {
  const detail = detailOf(app, unit)!;
  let outer = site;
  while (outer.owner !== null) outer = outer.owner;
  const made = outer.className === null ? undefined : detail.facts.sites.classes.get(outer.className);
  if (made !== undefined) return outer.member?.static === true ? { kind: "itself" } : { kind: "instances", of: made };
  // A function that is used as a class: it, and what its prototype has.
  if (outer.fn.type === "FunctionDeclaration" && detail.facts.sites.all.some(({ key }) => key.startsWith(`${outer.key}.prototype.`))) return { kind: "instances", of: outer.fn };
  const maker = /^([\w$]+)\.prototype\.[\w$]+$/.exec(outer.key)?.[1];
  const declared = maker === undefined ? undefined : detail.facts.byKey.get(maker);
  if (declared !== undefined) return { kind: "instances", of: declared.fn };
  const isRequests = isOfRequests(detail, outer);
  const makers = makersOfHeirs(app, unit, detail, outer, isRequests);
  if (isRequests && makers !== null) return { kind: "heirs", makers: [] };
  return makers === null || makers.length === 0 ? { kind: "itself" } : { kind: "heirs", makers };
}

/**
 * `module.exports = { … }`, which all other units give to `Object.create`, or hand on to have its methods copied, and do
 * nothing else with, and whose own unit calls none of them. Null if it may be used itself. `isRequests`: it can do nothing itself.
 */
function makersOfHeirs(app: AppShape, unit: string, detail: UnitDetail, { fn, key }: Site, isRequests: boolean): readonly (Site | null)[] | null {
  const exported = exportedObjectOf(detail);
  if (exported === undefined || exported === null) return null;
  const { object, names } = exported;
  const isInside = fn.start >= object.start && fn.end <= object.end;
  if (!isInside && !names.some((name) => key.startsWith(`${name}.`) || key.startsWith(`${name}[`))) return null;
  const own = names.filter((name) => /^[\w$]+$/.test(name) && name !== "exports");
  for (const name of own) if (detail.scopes.byName.get(name)?.some((ref) => ref.where === "module" && ref.parent !== exported.by && isUse(ref.parent, ref.start)) === true) return null;
  if (callsMethodOf(detail, [...own, "exports", "module"])) return null;
  const makers: (Site | null)[] = [];
  const hasGetters = hasGetter(object) || definesOn(detail, [...own, "exports", "module"]);
  for (const importer of importersOf(app).of(unit)) {
    const other = detailOf(app, importer);
    if (other === null || app.units.get(importer)!.format !== "cjs") return null;
    const required = namesFor(app, importer, other, unit);
    if (required === null) return null;
    for (const name of required) {
      for (const ref of other.scopes.byName.get(name) ?? []) {
        if (ref.where === "local") continue;
        // Whoever copies it by reading it runs its getters on the object itself.
        if (isCreating(ref.parent) || (!hasGetters && isCopying(ref.parent, ref.start))) makers.push(siteAround(other, ref.parent));
        else if (!isExporting(ref.parent, ref.start, isRequests ? null : app)) return null;
      }
    }
  }
  return makers;
}

function bodyOf(program: Node): readonly Node[] {
  return program.type === "Program" ? program.body : [];
}

/**
 * `const res = Object.create(http.ServerResponse.prototype)`, `res.send = function () { … }`: nothing has made that object a
 * response, so what its methods are called on are the responses that have it for their prototype.
 */
function isOfRequests(detail: UnitDetail, { key }: Site): boolean {
  const { facts, scopes } = detail;
  const name = /^([\w$]+)[.[]/.exec(key)?.[1];
  const value = name === undefined ? undefined : facts.declarations.get(name)?.value;
  if (!value || value.type !== "CallExpression" || !isCreating(value) || scopes.byName.get(name!)?.some((ref) => ref.where === "module" && ref.isWrite && ref.parent.type !== "VariableDeclarator") === true) return false;
  const [prototype] = value.arguments;
  if (prototype?.type !== "MemberExpression" || keyName(prototype.property, prototype.computed) !== "prototype" || prototype.object.type !== "MemberExpression") return false;
  const { object, property, computed } = prototype.object;
  if (object.type !== "Identifier" || !/^(ServerResponse|IncomingMessage)$/.test(keyName(property, computed) ?? "")) return false;
  return /^(node:)?https?$/.test(moduleOf(object.name, detail) ?? "");
}

interface Exported {
  readonly object: Node;
  readonly names: readonly string[];
  /** The assignment by which a name is exported, if it is one of its own. */
  readonly by: Node | null;
}

function exportedObjectOf({ program, facts, scopes }: UnitDetail): Exported | null {
  const body = bodyOf(program);
  const written = body.map(exportedObject).find((found) => found !== null);
  if (written) return written;
  // `const res = Object.create(http.ServerResponse.prototype)`, and then `module.exports = res`
  for (const statement of body) {
    const by = statement.type === "ExpressionStatement" && statement.expression.type === "AssignmentExpression" ? statement.expression : null;
    if (by === null || by.operator !== "=" || by.right.type !== "Identifier" || !isModuleExports(by.left)) continue;
    const { name } = by.right;
    const value = facts.declarations.get(name)?.value;
    if (!value || scopes.byName.get(name)?.some((ref) => ref.where === "module" && ref.isWrite && ref.parent.type !== "VariableDeclarator") === true) continue;
    if (value.type === "ObjectExpression" || (value.type === "CallExpression" && isCreating(value))) return { object: value, names: [name, "module.exports"], by };
  }
  return null;
}

function isModuleExports(left: Node): boolean {
  return left.type === "MemberExpression" && left.object.type === "Identifier" && left.object.name === "module" && keyName(left.property, left.computed) === "exports";
}

/** `module.exports = { … }`, `var app = exports = module.exports = {}` */
function exportedObject(statement: Node): Exported | null {
  const [declarator] = statement.type === "VariableDeclaration" ? statement.declarations : [];
  let value: Node | null | undefined = statement.type === "ExpressionStatement" ? statement.expression : declarator?.init;
  const names: string[] = declarator?.id.type === "Identifier" ? [declarator.id.name] : [];
  let isExported = false;
  while (value?.type === "AssignmentExpression" && value.operator === "=") {
    const { left } = value;
    if (left.type === "Identifier") names.push(left.name);
    else if (isModuleExports(left)) {
      isExported = true;
      names.push("module.exports");
    } else return null;
    value = value.right;
  }
  return isExported && value?.type === "ObjectExpression" ? { object: value, names, by: null } : null;
}

/** The names under which a unit requires another; null if it does so otherwise, too. */
function namesFor(app: AppShape, importer: string, { program, scopes }: UnitDetail, unit: string): readonly string[] | null {
  const names: string[] = [];
  for (const statement of bodyOf(program)) {
    if (statement.type !== "VariableDeclaration") continue;
    for (const { id, init } of statement.declarations) {
      if (init?.type !== "CallExpression" || init.callee.type !== "Identifier" || init.callee.name !== "require") continue;
      const [specifier] = init.arguments;
      if (specifier?.type !== "Literal" || resolveUnit(app, importer, String(specifier.value)) !== unit) continue;
      if (id.type !== "Identifier" || (statement.kind !== "const" && scopes.byName.get(id.name)?.some((ref) => ref.isWrite && ref.start !== id.start) === true)) return null;
      names.push(id.name);
    }
  }
  const all = app.units.get(importer)!.imports.filter(({ specifier }) => resolveUnit(app, importer, specifier) === unit);
  return all.length === names.length ? names : null;
}

/** The object is put where it could be used: other than to be given to a function that copies it, to get a property, or to be compared. */
function isUse(parent: Node, start: number): boolean {
  switch (parent.type) {
    case "CallExpression":
      return parent.callee.start === start;
    case "MemberExpression":
      return parent.object.start !== start;
    case "BinaryExpression":
    case "VariableDeclarator":
    case "ExpressionStatement":
      return false;
    default:
      return true;
  }
}

/** `proto.method()`, by one of the names. */
function callsMethodOf({ program, scopes }: UnitDetail, names: readonly string[]): boolean {
  const starts = new Set(names.flatMap((name) => (scopes.byName.get(name) ?? []).flatMap((ref) => (ref.where === "local" ? [] : [ref.start]))));
  let found = false;
  const walk = (node: Node): void => {
    if (node.type === "CallExpression" && node.callee.type === "MemberExpression") {
      let root: Node = node.callee.object;
      if (root.type === "MemberExpression" && root.object.type === "Identifier" && root.object.name === "module") root = root.object;
      if (root.type === "Identifier" && starts.has(root.start)) found = true;
    }
    if (!found) forEachChild(node, walk);
  };
  walk(program);
  return found;
}

/** `Object.create(x)` */
function isCreating(parent: Node): boolean {
  if (parent.type !== "CallExpression" || parent.callee.type !== "MemberExpression") return false;
  const { object, property, computed } = parent.callee;
  return object.type === "Identifier" && object.name === "Object" && keyName(property, computed) === "create";
}

/** `mixin(app, x)` */
function isCopying(parent: Node, start: number): boolean {
  return parent.type === "CallExpression" && parent.callee.start !== start && parent.arguments[0]?.start !== start;
}

function hasGetter(object: Node): boolean {
  return object.type !== "ObjectExpression" || object.properties.some((property) => property.type !== "Property" || property.kind !== "init");
}

/** `Object.defineProperty(x, …)` */
function definesOn(detail: UnitDetail, names: readonly string[]): boolean {
  return names.some((name) => detail.scopes.byName.get(name)?.some((ref) => ref.where !== "local" && isDefining(ref.parent, detail)) === true);
}

/** `exports.application = x`, where no code of the app reads that; null: whoever reads it. */
function isExporting(parent: Node, start: number, app: AppShape | null): boolean {
  if (parent.type !== "AssignmentExpression" || parent.right.start !== start || parent.left.type !== "MemberExpression") return false;
  const { object, property, computed } = parent.left;
  const name = keyName(property, computed);
  return object.type === "Identifier" && object.name === "exports" && name !== null && (app === null || !isReadMember(app, name));
}

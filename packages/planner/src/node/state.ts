import { findOrigin, reachersOf, resolveUnit, type AppShape } from "./app.ts";
import type { UnitDetail } from "./analyze.ts";
import { calleeName } from "./callees.ts";
import { isRequestName } from "./closures.ts";
import type { Declaration } from "./facts.ts";
import { carriedNames } from "./hooks.ts";
import { findMutations, isReader, reachedFrom, type Mutation, type MutationKind } from "./mutation.ts";
import { namesOf } from "./names.ts";
import type { Reference } from "./scope.ts";
import { beginsAnew, changesItself, positionFlags, usesPosition } from "./self-changing.ts";
import { forEachChild, isFunction, keyName, type Node } from "./syntax.ts";

/** What an initialiser makes. */
interface Table {
  readonly kinds: ReadonlySet<MutationKind>;
  readonly properties: ReadonlySet<string>;
  /** It holds functions, so that whoever keeps it keeps their old text. */
  readonly hasFunctions: boolean;
  readonly hasSymbol: boolean;
  /** It is made of what other names stand for. */
  readonly hasNames: boolean;
}

function tableOf(value: Node): Table {
  const properties = new Set<string>();
  const kinds = new Set<MutationKind>();
  let hasFunctions = false;
  let hasSymbol = false;
  let hasNames = false;
  const walk = (node: Node): void => {
    switch (node.type) {
      case "ObjectExpression":
        kinds.add("named").add("computed");
        hasNames ||= node.properties.some((property) => (property.type === "SpreadElement" ? property.argument : property.value).type === "Identifier");
        break;
      case "ArrayExpression":
        kinds.add("list").add("computed").add("named");
        break;
      case "NewExpression":
        kinds.add("map").add("list").add("named").add("computed");
        break;
      case "CallExpression":
        if (node.callee.type === "Identifier" && node.callee.name === "Symbol") hasSymbol = true;
        else if (node.callee.type === "MemberExpression" && calleeName(node.callee) !== "freeze" && !isMath(node.callee)) kinds.add("list").add("named").add("computed");
        break;
      case "Property": {
        const key = keyName(node.key, node.computed);
        if (key !== null) properties.add(key);
        break;
      }
      default:
        if (isFunction(node)) {
          hasFunctions = true;
          return;
        }
    }
    forEachChild(node, walk);
  };
  walk(value);
  return { kinds, properties, hasFunctions, hasSymbol, hasNames };
}

/** True if what an initialiser makes has functions in it. */
export function holdsFunctions(value: Node): boolean {
  return tableOf(value).hasFunctions;
}

function isMath(callee: Extract<Node, { type: "MemberExpression" }>): boolean {
  return callee.object.type === "Identifier" && ["Math", "Number", "String", "BigInt"].includes(callee.object.name);
}

/** Why a constant may have been changed since it was made, somewhere in the app; null if nothing could have. */
export function stateIn(declaration: Declaration, unit: string, app: AppShape): string | null {
  if (declaration.value === null) return null;
  const table = tableOf(declaration.value);
  if (table.hasSymbol) return "it holds a symbol, under which live objects may keep something";
  const holders = (): readonly Holder[] => [{ path: unit, detail: app.units.get(unit)!.detail!, local: declaration.name }, ...importersOfBinding(app, unit, declaration.name)];
  const flags = positionFlags(declaration.value);
  if (flags !== "") {
    const user = findPositionUser(declaration.value, flags, holders(), app);
    if (user !== null) return `${user} may go on from where a regular expression stopped`;
  }
  if (table.kinds.size === 0) return null;
  if (/^(Object\.(freeze|create)\(\s*)?(new (Weak)?(Map|Set)\(\s*\)|\[\s*\]|\{\s*\}|null)\s*\)?$/.test(declaration.skeleton)) return "it starts empty";
  if (table.hasFunctions || table.hasNames) if (changesItself(declaration.value, unit, app)) return "it changes itself by a method of its own";
  let escapes = false;
  let partsEscape = false;
  for (const { path, detail, local } of holders()) {
    const mutations = findMutations(detail);
    for (const mutation of mutations.all) if (fits(mutation, table) && reachedFrom(mutations, mutation.root).has(local)) return `${path} changes it`;
    partsEscape ||= [...mutations.handedOn].some((name) => reachedFrom(mutations, name).has(local));
    for (const ref of detail.scopes.byName.get(local) ?? []) {
      if (ref.where !== "module" || !isHandedOn(ref)) continue;
      if (isHeld(ref)) return `${path} keeps it, or looks for it, and would not know the new one`;
      escapes = true;
      if (table.hasFunctions) return `${path} hands it on, and who keeps it keeps its functions`;
    }
  }
  return findForeignChange(app, table, escapes, escapes || partsEscape);
}

/** A unit that knows a binding, and the name it has there. */
interface Holder {
  readonly path: string;
  readonly detail: UnitDetail;
  readonly local: string;
}

/** A unit whose code asks a regular expression of that initialiser to go on; null if all of it begins anew each time. */
function findPositionUser(value: Node, flags: string, holders: readonly Holder[], app: AppShape): string | null {
  const isOne = value.type === "Literal" || value.type === "NewExpression" || value.type === "CallExpression";
  const isSticky = flags.includes("y");
  let isOpen = false;
  for (const { path, detail, local } of holders) {
    if (!isOne && usesPosition(detail.program, isSticky)) return path;
    for (const ref of detail.scopes.byName.get(local) ?? []) {
      if (ref.where !== "module" || ref.role === "export") continue;
      if (isOne && ref.parent.type === "MemberExpression" && ref.parent.object.start === ref.start) {
        if (usesPosition(ref.parent, isSticky)) return path;
      } else if (isHandedOn(ref) && (isSticky || !beginsAnew(ref.parent))) isOpen = true;
    }
  }
  if (isOpen) for (const [path, { detail }] of app.units) if (detail !== null && usesPosition(detail.program, isSticky)) return path;
  return null;
}

/** True if the reference is what the map, the list or the variable that it is put into will give back, or is compared with. */
function isHeld({ parent, start }: Reference): boolean {
  if (parent.type === "AssignmentExpression") return parent.right.start === start && !isOfRequest(parent.left);
  return parent.type === "CallExpression" && parent.callee.type === "MemberExpression" && parent.arguments.some((argument) => argument.start === start) && keepsIdentity.has(calleeName(parent.callee));
}

function isOfRequest(target: Node): boolean {
  return target.type === "MemberExpression" ? isOfRequest(target.object) : target.type === "Identifier" && isRequestName(target.name);
}

const keepsIdentity = new Set(["set", "get", "has", "add", "delete", "push", "unshift", "includes", "indexOf", "splice"]);

function importersOfBinding(app: AppShape, unit: string, name: string): Holder[] {
  const found: Holder[] = [];
  // Re-exports: whoever imports from any unit may mean this one.
  for (const path of reachersOf(app, unit)) {
    const detail = app.units.get(path)?.detail;
    if (!detail) continue;
    for (const imported of detail.facts.imports.values()) {
      const from = resolveUnit(app, path, imported.specifier);
      if (from === null) continue;
      if (imported.imported === "*") {
        if (from === unit) found.push({ path, detail, local: imported.local });
        continue;
      }
      const origin = findOrigin(app, from, imported.imported);
      if (origin.kind === "binding" && origin.unit === unit && origin.local === name) found.push({ path, detail, local: imported.local });
    }
  }
  return found;
}

function fits(mutation: Mutation, table: Table): boolean {
  return table.kinds.has(mutation.kind);
}

/** True if the whole value goes on to somebody else, under another name. */
function isHandedOn({ parent, start, role }: Reference): boolean {
  if (role === "export") return false;
  switch (parent.type) {
    case "MemberExpression":
    case "ForOfStatement":
    case "ForInStatement":
    case "BinaryExpression":
    case "UnaryExpression":
    case "TemplateLiteral":
    case "ExpressionStatement":
    case "IfStatement":
    case "SpreadElement":
      return false;
    case "VariableDeclarator":
      // Taken apart on the spot; a plain second name is followed as one.
      return parent.id.type === "Identifier";
    case "CallExpression":
    case "NewExpression":
      return parent.callee.start !== start && !isReader(calleeName(parent.callee));
    default:
      return true;
  }
}

/** Code that changes something that it was handed, and that may be this table or a part of it. */
function findForeignChange(app: AppShape, table: Table, escapes: boolean, partsEscape: boolean): string | null {
  let homes: ReadonlySet<string> | null = null;
  for (const [path, { detail }] of app.units) {
    if (detail === null) continue;
    const { all } = findMutations(detail);
    for (const { kind, property, root } of all) {
      if (kind === "named") {
        if (table.properties.has(property!)) return `${path} assigns a property named ${property}`;
        if (partsEscape && !isRequestLike(root) && isWild(detail, root) && !(homes ??= homesOf(app)).has(property!)) return `${path} assigns ${property}, which no other object of the app has`;
      } else if (escapes && table.kinds.has(kind) && isWild(detail, root)) return `it is handed on, and ${path} changes what it is handed`;
    }
  }
  return null;
}

/** True if what a name holds came from elsewhere: a parameter, a property, the result of a call. */
function isWild(detail: UnitDetail, root: string): boolean {
  if (root === "?") return true;
  if (root === "this") return false;
  const imported = detail.facts.imports.get(root);
  if (imported !== undefined) return imported.imported !== "*";
  const sources = namesOf(detail).sources.get(root);
  if (sources === undefined) return false;
  return sources.some((source) => source.kind !== "value" || !/^(New|Object|Array|Literal|Template|Class|Function|ArrowFunction)/.test(source.node.type));
}

/** What web frameworks hand to a handler, and errors, are nobody's tables. */
function isRequestLike(root: string): boolean {
  return /^_?(req|request|res|response|reply|err|error|e|ctx|context|socket|ws|stream|app|server|process|exports|module|globalThis)$/.test(root);
}

const homesByApp = new WeakMap<AppShape, ReadonlySet<string>>();

function homesOf(app: AppShape): ReadonlySet<string> {
  let homes = homesByApp.get(app);
  if (homes !== undefined) return homes;
  const all = new Set<string>();
  for (const { detail } of app.units.values()) if (detail !== null) for (const home of [...findMutations(detail).homes, ...carriedNames(detail.hooks)]) all.add(home);
  homesByApp.set(app, (homes = all));
  return homes;
}

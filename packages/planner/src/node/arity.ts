import { detailOf, findOrigin, importersOf, resolveUnit, type AppShape } from "./app.ts";
import type { UnitDetail } from "./analyze.ts";
import { calleeName, isRouteCall } from "./callees.ts";
import { isDoneWithCallbacks } from "./closures.ts";
import { functionNamed } from "./in-flight.ts";
import { isExportOnlyCalled } from "./members.ts";
import { namesOf } from "./names.ts";
import { Outside } from "./outside.ts";
import { referencesIn, type Reference } from "./scope.ts";
import type { Site } from "./sites.ts";
import type { Startup } from "./startup.ts";
import { boundNames, forEachChild, keyName, type FunctionNode, type Node } from "./syntax.ts";

type Call = Extract<Node, { type: "CallExpression" | "NewExpression" }>;

/** What a changed function says of itself otherwise than before: whether that can be put right, and where the function is found. */
export type Reflection =
  | { readonly kind: "same" }
  /** Nobody can look: everybody who has it only calls it. */
  | { readonly kind: "unseen" }
  | { readonly kind: "set"; readonly path: readonly string[]; readonly name: string | null }
  | { readonly kind: "blocked"; readonly reason: string };

/** `length` of a function (ECMA-262 §15.1.5 ExpectedArgumentCount). */
export function lengthOf({ params }: FunctionNode): number {
  const end = params.findIndex(({ type }) => type === "AssignmentPattern" || type === "RestElement");
  return end === -1 ? params.length : end;
}

/** Compares what a function shows of itself, its `length` and its own `name`, and asks who may have looked at that. */
export function compareReflection(app: AppShape, unit: string, detail: UnitDetail, startup: Startup, former: Site, site: Site): Reflection {
  const [before, after] = [lengthOf(former.fn), lengthOf(site.fn)];
  if ((before === after && ownName(former.fn) === ownName(site.fn)) || former.member?.kind === "get" || former.member?.kind === "set") return { kind: "same" };
  const seen = new Lookers(app, startup, before, after);
  const reason = before === after ? "it has another name, and who holds it may look at that" : `it takes ${after} parameters instead of ${before}, and who was given it may look at that`;
  const isSeen = former.depth > 0 || /[:/]/.test(former.key) ? seen.closure(unit, detail, former) : former.member !== null || former.binding !== former.key ? seen.member(former) : seen.binding(unit, detail, former.key);
  if (isSeen === "looked") return { kind: "blocked", reason };
  const path = pathTo(former);
  // What is assigned to a property gets no name from it.
  const isRenamed = ownName(former.fn) !== ownName(site.fn);
  const name = isRenamed ? (ownName(site.fn) ?? (path?.length === 1 ? path[0]! : null)) : null;
  if (path !== null && (name !== null || !isRenamed)) return { kind: "set", path, name };
  return isSeen === "no" ? { kind: "unseen" } : { kind: "blocked", reason };
}

function ownName(fn: FunctionNode): string | null {
  return fn.type === "FunctionExpression" ? (fn.id?.name ?? null) : null;
}

/** Where the function object is found from the module's scope; null if nowhere for sure. A method is found by its class. */
function pathTo({ key, member, memberName, depth }: Site): readonly string[] | null {
  if (member !== null) return memberName === null || memberName.startsWith("#") ? null : [];
  if (depth > 0 || key === "default") return null;
  const path = key.split(".");
  return path.every((name) => /^[\p{ID_Start}$_][\p{ID_Continue}$]*$/u.test(name)) ? path : null;
}

/** Who has a function: nobody who could look, somebody who has looked, or somebody who may look later. */
type Seen = "no" | "looked" | "later";

class Lookers {
  readonly #app: AppShape;
  readonly #startup: Startup;
  readonly #before: number;
  readonly #after: number;

  constructor(app: AppShape, startup: Startup, before: number, after: number) {
    this.#app = app;
    this.#startup = startup;
    this.#before = before;
    this.#after = after;
  }

  /** A closure cannot be found again: whoever has it must be known not to look. */
  closure(unit: string, detail: UnitDetail, { fn, owner }: Site): Seen {
    const parent = namesOf(detail).parents.get(fn);
    if (isCall(parent)) return parent.callee === fn || this.#isBlind(unit, detail, parent, fn) ? "no" : "looked";
    const name = fn.type === "FunctionDeclaration" ? fn.id?.name : parent?.type === "VariableDeclarator" && parent.id.type === "Identifier" ? parent.id.name : undefined;
    if (name === undefined || owner === null) return "looked";
    const uses = referencesIn(detail.scopes.byName.get(name) ?? [], owner.fn.start, owner.fn.end);
    return uses.every((ref) => ref.role === "call" || this.#isBlindUse(unit, detail, ref)) ? "no" : "looked";
  }

  /** Of a function at the top level: what every unit that knows it does with it, but for calling it. */
  binding(unit: string, detail: UnitDetail, name: string): Seen {
    const holders = [{ unit, detail, local: name }, ...this.#importersOf(unit, name)];
    // What no unit imports is for whoever loads it.
    const isExported = [...detail.facts.exports.values()].some((binding) => binding.kind === "local" && binding.local === name);
    let isHeld = isExported && (holders.length === 1 || !isExportOnlyCalled(this.#app, unit, name));
    for (const holder of holders) {
      for (const ref of holder.detail.scopes.byName.get(holder.local) ?? []) {
        if (ref.where !== "module" || ref.role === "call" || ref.role === "export" || ref.isWrite) continue;
        if (isCall(ref.parent) && ref.parent.callee.start !== ref.start && !this.#isBlindUse(holder.unit, holder.detail, ref)) return "looked";
        if (ref.parent.type === "MemberExpression" && /^(bind|length|name)$/.test(calleeName(ref.parent))) return "looked";
        if (ref.parent.type === "VariableDeclarator" && ref.parent.id.type !== "Identifier") return "looked";
        isHeld = true;
      }
    }
    return isHeld ? "later" : "no";
  }

  /** Of a method, or a function in an object: what is done with a property of that name, whatever the object. */
  member({ memberName }: Site): Seen {
    if (memberName === null) return "later";
    for (const [unit, { detail }] of this.#app.units) if (detail !== null && this.#looksAtMember(unit, detail, memberName)) return "looked";
    return "later";
  }

  #looksAtMember(unit: string, detail: UnitDetail, name: string): boolean {
    let found = false;
    const walk = (node: Node, parent: Node, above: Node): void => {
      if (found) return;
      // `C.prototype[key].length`, `Object.values(handlers).map(({ length }) => …)`: it may be this one.
      const isAny = node.type === "MemberExpression" && node.computed && keyName(node.property, true) === null && node.property.type !== "UpdateExpression";
      if (isAny && (calleeName(node.object) === "prototype" || this.#holds(detail, node.object, name)) && parent.type === "MemberExpression" && parent.object === node && /^(length|name)$/.test(calleeName(parent))) found = true;
      if (node.type === "CallExpression" && /^(values|entries)$/.test(calleeName(node.callee)) && node.arguments.length > 0 && this.#holds(detail, node.arguments[0]!, name)) found = true;
      if (node.type === "MemberExpression" && keyName(node.property, node.computed) === name) {
        if (isCall(parent) && parent.callee !== node) found = !this.#isBlind(unit, detail, parent, node);
        else if (parent.type === "MemberExpression" && parent.object === node) {
          const key = calleeName(parent);
          found = key === "length" || key === "name" || (key === "bind" && !(isCall(above) && above.callee === parent && this.#isBlindBound(unit, detail, above)));
        }
      }
      forEachChild(node, (child) => walk(child, node, parent));
    };
    walk(detail.program, detail.program, detail.program);
    return found;
  }

  /** True for the name of an object of this unit that has a function under a name: who goes through it may look at each. */
  #holds(detail: UnitDetail, object: Node, name: string): boolean {
    const value = object.type === "Identifier" ? detail.facts.declarations.get(object.name)?.value : object;
    if (value?.type !== "ObjectExpression") return false;
    return value.properties.some((property) => property.type === "Property" && keyName(property.key, property.computed) === name);
  }

  /** `on("x", this.handle.bind(this))`: what was made by bind has the former length for good. */
  #isBlindBound(unit: string, detail: UnitDetail, bound: Node): boolean {
    let around: Node | null = null;
    const walk = (node: Node): void => {
      forEachChild(node, (child) => {
        if (child === bound) around = node;
        else if (around === null && child.start <= bound.start && child.end >= bound.end) walk(child);
      });
    };
    walk(detail.program);
    return around !== null && isCall(around) && this.#isBlind(unit, detail, around, bound);
  }

  #importersOf(unit: string, name: string): { unit: string; detail: UnitDetail; local: string }[] {
    const found: { unit: string; detail: UnitDetail; local: string }[] = [];
    for (const path of importersOf(this.#app).of(unit)) {
      const detail = detailOf(this.#app, path);
      for (const { local, specifier, imported } of detail?.facts.imports.values() ?? []) {
        const from = resolveUnit(this.#app, path, specifier);
        const origin = from === null ? null : findOrigin(this.#app, from, imported);
        if (origin?.kind === "binding" && origin.unit === unit && origin.local === name) found.push({ unit: path, detail: detail!, local });
      }
    }
    return found;
  }

  #isBlindUse(unit: string, detail: UnitDetail, { parent, start }: Reference): boolean {
    const argument = isCall(parent) ? parent.arguments.find((one) => one.start === start) : undefined;
    return isCall(parent) && argument !== undefined && this.#isBlind(unit, detail, parent, argument);
  }

  /** True if what is called surely pays no heed to how many parameters this argument has. */
  #isBlind(unit: string, detail: UnitDetail, call: Call, argument: Node): boolean {
    const name = calleeName(call.callee);
    const index = call.arguments.indexOf(argument as never);
    // Which frames it leaves out is told by the function alone.
    if (name === "captureStackTrace" && call.callee.type === "MemberExpression" && call.callee.object.type === "Identifier" && call.callee.object.name === "Error") return true;
    const isOutside = call.callee.type === "MemberExpression" ? new Outside(this.#app, unit, detail).isValue(call.callee.object) : false;
    const own = call.callee.type === "MemberExpression" ? (isOutside ? [] : this.#startup.functionsUnder(name)) : [functionNamed(this.#app, unit, call.callee)].filter((found) => found !== null);
    if (!own.every(({ unit: there, fn }) => !this.#looks(there, fn, index))) return false;
    if (isRouteCall(call) || name === "use") return webRole(this.#before) === webRole(this.#after);
    return isDoneWithCallbacks(call.callee) || own.length > 0;
  }

  /** True if a function of the app does more with a parameter than call it and put it somewhere. */
  #looks(unit: string, fn: FunctionNode, index: number): boolean {
    const detail = detailOf(this.#app, unit);
    const param = fn.params[index];
    if (detail === null || index === -1 || (param === undefined && fn.params.at(-1)?.type === "RestElement")) return true;
    if (param === undefined) return false;
    if (param.type !== "Identifier") return true;
    const [name] = boundNames(param);
    return referencesIn(detail.scopes.byName.get(name!) ?? [], fn.start, fn.end).some((ref) => {
      if (ref.role === "call") return false;
      if (ref.parent.type === "MemberExpression") return ref.parent.object.start === ref.start && !/^(call|apply)$/.test(calleeName(ref.parent));
      return isCall(ref.parent) && ref.parent.callee.start !== ref.start && !isDoneWithCallbacks(ref.parent.callee) && !/^(push|set|add|unshift)$/.test(calleeName(ref.parent.callee));
    });
  }
}

/** Express and its like take a function of four parameters for one that handles errors, and call none that has more. */
function webRole(length: number): number {
  return length <= 3 ? 0 : length;
}

function isCall(node: Node | undefined): node is Call {
  return node?.type === "CallExpression" || node?.type === "NewExpression";
}

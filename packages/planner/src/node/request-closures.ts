import type { UnitDetail } from "./analyze.ts";
import { detailOf, resolveUnit, type AppShape } from "./app.ts";
import { calleeName } from "./callees.ts";
import { endsWithCall, isOnTheSpot, isRequestName } from "./closures.ts";
import { functionNamed } from "./in-flight.ts";
import { armsItselfAgain } from "./lasting.ts";
import { namesOf } from "./names.ts";
import { referencesIn, type Reference } from "./scope.ts";
import type { Site } from "./sites.ts";
import { boundNames, isFunction, type FunctionNode, type Node } from "./syntax.ts";

type Call = Extract<Node, { type: "CallExpression" | "NewExpression" }>;

interface Found {
  readonly unit: string;
  readonly fn: FunctionNode;
}

const maxDepth = 5;

/** Names of functions that keep what they are given for more than the call or the request at hand. */
const keeping = /^(on|once|off|add|set|put|push|unshift|splice|fill|use|tap|hook|define|assign|freeze|register|subscribe|listen|watch|observe|schedule|cron|every|repeat|interval|store|save|cache|memo|keep|remember|attach|intercept|wrap|bind|provide|enqueue|defer|concat|of|from|resolve|entries|values|fromEntries)|(Listener|Interval|Handler|Hook|Server|Cache|Once|Watcher|Worker)s?$|^[A-Z_$]|^\?$/;

/**
 * True if a closure is only ever handed on as what goes on with a request: it is made by a function that a request calls,
 * and is called, given to calls that go on with it, or put on the request's own objects. It ends with that request, on
 * the text that it began with.
 */
export function endsWithItsRequest(app: AppShape, unit: string, site: Site, functionsUnder: (key: string) => readonly Found[]): boolean {
  let owner = site.owner;
  while (owner !== null && !takesRequest(owner.fn)) owner = owner.owner;
  if (owner === null || !detailOf(app, unit)!.facts.byFunction.has(owner.fn)) return false;
  return new Continuations(app, functionsUnder).stays({ unit, fn: site.fn }, 0);
}

function takesRequest({ params }: FunctionNode): boolean {
  return params.some((param) => param.type === "Identifier" && isRequestName(param.name));
}

class Continuations {
  readonly #app: AppShape;
  readonly #functionsUnder: (key: string) => readonly Found[];
  readonly #open = new Set<Node>();

  constructor(app: AppShape, functionsUnder: (key: string) => readonly Found[]) {
    this.#app = app;
    this.#functionsUnder = functionsUnder;
  }

  /** True if nothing but what goes on with the request gets hold of a function, where it is written. */
  stays({ unit, fn }: Found, depth: number): boolean {
    if (depth > maxDepth || fn.generator) return false;
    // Where it hands itself on, it is looked at already.
    if (this.#open.has(fn)) return true;
    this.#open.add(fn);
    const detail = detailOf(this.#app, unit)!;
    const parent = namesOf(detail).parents.get(fn);
    const own = fn.type === "ArrowFunctionExpression" ? null : (fn.id?.name ?? null);
    const region = detail.facts.byFunction.get(fn)?.owner?.fn;
    const known = own ?? (parent?.type === "VariableDeclarator" && parent.id.type === "Identifier" ? parent.id.name : null);
    // A timer that arms itself goes on after the request.
    if (known !== null && armsItselfAgain(fn, known, region ?? fn)) return false;
    // By its own name it may hand itself on.
    if (own !== null && fn.type !== "FunctionDeclaration" && !this.#nameStays(unit, own, fn, depth)) return false;
    if (fn.type === "FunctionDeclaration") return own !== null && region !== undefined && this.#nameStays(unit, own, region, depth);
    switch (parent?.type) {
      case "CallExpression":
      case "NewExpression":
        return parent.callee === fn || this.#callStays(unit, parent, fn, depth);
      case "VariableDeclarator":
        return parent.id.type === "Identifier" && region !== undefined && this.#nameStays(unit, parent.id.name, region, depth);
      case "AssignmentExpression":
        return isOfRequest(parent.left);
      default:
        return false;
    }
  }

  /** Every use of a name within a function: it is called, asked for, handed on, or put on the request. */
  #nameStays(unit: string, name: string, region: FunctionNode, depth: number): boolean {
    const { scopes } = detailOf(this.#app, unit)!;
    return referencesIn(scopes.byName.get(name) ?? [], region.start, region.end).every((ref) => this.#useStays(unit, ref, region, depth));
  }

  #useStays(unit: string, ref: Reference, region: FunctionNode, depth: number): boolean {
    const { parent, start } = ref;
    const detail = detailOf(this.#app, unit)!;
    // In another function that goes on with the request, too.
    const inner = [...detail.facts.byFunction.values()].filter(({ fn }) => fn !== region && region.start <= fn.start && fn.end <= region.end && fn.start <= start && start < fn.end && !(isFunction(parent) && fn === parent));
    if (!inner.every(({ fn, escapes }) => !escapes || this.stays({ unit, fn }, depth + 1))) return false;
    switch (parent.type) {
      case "CallExpression":
      case "NewExpression":
        return parent.callee.start === start ? parent.type === "CallExpression" : this.#callStays(unit, parent, parent.arguments.find((argument) => argument.start === start), depth);
      case "MemberExpression":
        return parent.object.start === start && /^(call|apply|length|name)$/.test(calleeName(parent));
      case "AssignmentExpression":
        return ref.isWrite ? false : parent.right.start === start && isOfRequest(parent.left);
      case "IfStatement":
      case "UnaryExpression":
      case "BinaryExpression":
      case "ExpressionStatement":
        return true;
      case "ConditionalExpression":
        return parent.test.start === start;
      case "LogicalExpression":
        // `next && next()`
        return parent.operator === "&&" && parent.left.start === start;
      case "VariableDeclarator":
        return parent.id.start === start;
      default:
        // The declaration itself, and its parameters.
        return isFunction(parent) && parent.type !== "ArrowFunctionExpression" ? parent.id?.start === start || parent.params.some((param) => param.start === start) : isFunction(parent) && parent.params.some((param) => param.start === start);
    }
  }

  #callStays(unit: string, call: Call, argument: Node | undefined, depth: number): boolean {
    const index = argument === undefined ? -1 : call.arguments.indexOf(argument as never);
    if (index === -1 || call.arguments.slice(0, index).some(({ type }) => type === "SpreadElement")) return false;
    const name = calleeName(call.callee);
    if (call.type === "NewExpression" && name !== "Promise") return false;
    const inside = this.#meantBy(unit, call.callee);
    if (inside === null) return false;
    if (inside.length === 0 && !endsWithCall(call.callee) && !isOnTheSpot(name) && keeping.test(name)) return false;
    return inside.every((found) => this.#paramStays(found, index, depth + 1));
  }

  /** The functions of the app that may be called there; none: one that is not the app's. Null: who knows. */
  #meantBy(unit: string, callee: Node): readonly Found[] | null {
    if (callee.type === "ChainExpression") return this.#meantBy(unit, callee.expression);
    // `keep.call(null, fn)` calls something else than what it is named after.
    if (callee.type === "MemberExpression") return /^(call|apply|bind|\?)$/.test(calleeName(callee)) ? null : this.#under(calleeName(callee));
    if (callee.type !== "Identifier") return null;
    const found = functionNamed(this.#app, unit, callee);
    if (found !== null) return [found];
    const { facts, scopes } = detailOf(this.#app, unit)!;
    const { name } = callee;
    const imported = facts.imports.get(name);
    if (imported !== undefined) return resolveUnit(this.#app, unit, imported.specifier) === null ? [] : null;
    // A parameter of the same name elsewhere is another variable.
    const sources = (namesOf(detailOf(this.#app, unit)!).sources.get(name) ?? []).filter((source) => source.kind !== "param" || (source.fn.start <= callee.start && callee.end <= source.fn.end));
    if (sources.length === 0) return scopes.moduleNames.has(name) ? null : [];
    const all = sources.map((source): readonly Found[] | null => {
      if (source.kind === "function") return [{ unit, fn: source.fn }];
      if (source.kind === "member") return this.#under(source.key);
      if (source.kind !== "value") return null;
      if (isFunction(source.node)) return [{ unit, fn: source.node }];
      return source.node.type === "MemberExpression" && calleeName(source.node) !== "?" ? this.#under(calleeName(source.node)) : null;
    });
    return all.includes(null) ? null : all.flatMap((one) => one!);
  }

  /** What is given under a property's name; null if that is more than functions, and what somebody outside handed in. */
  #under(name: string): readonly Found[] | null {
    for (const { detail } of this.#app.units.values()) {
      if (detail === null) continue;
      for (const value of namesOf(detail).members.get(name) ?? []) if (!isPlainlyGiven(detail, value, name)) return null;
    }
    return this.#functionsUnder(name);
  }

  /** What a function of the app does with what it is given. */
  #paramStays({ unit, fn }: Found, index: number, depth: number): boolean {
    if (depth > maxDepth || fn.generator || fn.params.some(({ type }) => type === "RestElement")) return false;
    const param = fn.params[index];
    const { scopes } = detailOf(this.#app, unit)!;
    // How many there are says nothing of what they are.
    if (referencesIn(scopes.byName.get("arguments") ?? [], fn.start, fn.end).some(({ parent }) => parent.type !== "MemberExpression" || calleeName(parent) !== "length")) return false;
    if (param === undefined) return true;
    return param.type === "Identifier" && this.#nameStays(unit, boundNames(param)[0]!, fn, depth);
  }
}

/** True if a value under a property's name is a function that is written there or known by its name, nothing, or what was handed in from outside. */
function isPlainlyGiven(detail: UnitDetail, value: Node, name: string): boolean {
  if (isFunction(value) || value.type === "Literal") return true;
  if (value.type === "MemberExpression") return calleeName(value) === name;
  if (value.type !== "Identifier") return false;
  return value.name === "undefined" || (namesOf(detail).sources.get(value.name) ?? []).every((source) => source.kind === "function" || source.kind === "param" || (source.kind === "value" && source.node.type === "MemberExpression" && calleeName(source.node) === name));
}

/** `req.next`, `res.locals.done`; what hangs on the connection or the server outlives the request. */
function isOfRequest(left: Node): boolean {
  if (left.type !== "MemberExpression") return false;
  const { object } = left;
  if (object.type === "Identifier") return isRequestName(object.name);
  return object.type === "MemberExpression" && calleeName(object) === "locals" && object.object.type === "Identifier" && isRequestName(object.object.name);
}

import { detailOf, type AppShape } from "./app.ts";
import { calleeName } from "./callees.ts";
import { endsWithCall, isOnTheSpot, isRequestName } from "./closures.ts";
import { functionNamed } from "./in-flight.ts";
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
    if (endsWithCall(call.callee)) return true;
    const name = calleeName(call.callee);
    const inside = this.#meantBy(unit, call.callee, name);
    if (inside.length === 0 && !isOnTheSpot(name) && keeping.test(name)) return false;
    return inside.every((found) => this.#paramStays(found, index, depth + 1));
  }

  #meantBy(unit: string, callee: Node, name: string): readonly Found[] {
    if (callee.type === "MemberExpression") return name === "?" ? [] : this.#functionsUnder(name);
    const found = functionNamed(this.#app, unit, callee);
    return found === null ? [] : [found];
  }

  /** What a function of the app does with what it is given. */
  #paramStays({ unit, fn }: Found, index: number, depth: number): boolean {
    if (depth > maxDepth || fn.generator || fn.params.some(({ type }) => type === "RestElement")) return false;
    const param = fn.params[index];
    const { scopes } = detailOf(this.#app, unit)!;
    if (referencesIn(scopes.byName.get("arguments") ?? [], fn.start, fn.end).some(({ parent }) => !(parent.type === "CallExpression" || parent.type === "MemberExpression"))) return false;
    if (param === undefined) return referencesIn(scopes.byName.get("arguments") ?? [], fn.start, fn.end).length === 0;
    return param.type === "Identifier" && this.#nameStays(unit, boundNames(param)[0]!, fn, depth);
  }
}

/** `req.next`, `res.locals.done` */
function isOfRequest(left: Node): boolean {
  let root = left;
  while (root.type === "MemberExpression") root = root.object;
  return left.type === "MemberExpression" && root.type === "Identifier" && isRequestName(root.name);
}

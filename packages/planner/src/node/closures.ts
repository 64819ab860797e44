import { calleeName } from "./callees.ts";
import { startsItselfAgain } from "./lasting.ts";
import { referencesIn, type Scopes } from "./scope.ts";
import { isFunction, keyName, type FunctionNode, type Node } from "./syntax.ts";

/** A function made inside another, and what becomes of it. */
export interface Closure {
  readonly fn: FunctionNode;
  /** Where it goes, e.g. `get("/items")`, `.total`, `return`. Names it across versions. */
  readonly label: string;
  /** False if it is only called or used on the spot: then it is part of the text around it. */
  readonly escapes: boolean;
  /** It ends with the request or the call that it was made for. */
  readonly isInFlight: boolean;
  /** The last name of the callee that it is passed to. */
  readonly callee: string | null;
  readonly name: string | null;
  readonly isMethod: boolean;
}

/**
 * Callees that use a function at once or at most once, soon: what they were given is work in flight, and finishes
 * on the code that it began with.
 */
const onTheSpot = new Set([
  "map", "filter", "forEach", "reduce", "reduceRight", "some", "every", "find", "findIndex", "findLast", "findLastIndex", "sort", "toSorted", "flatMap",
  "from", "fromAsync", "groupBy", "replace", "replaceAll", "then", "catch", "finally", "Promise", "setTimeout", "setImmediate", "nextTick", "queueMicrotask",
]);

export function isOnTheSpot(callee: string): boolean {
  return onTheSpot.has(callee);
}

/** Those that take a function elsewhere than first; any other that does keeps it under what comes first: `router.find("/", fn)`. */
const takesLater = new Set(["then", "replace", "replaceAll", "from", "fromAsync", "groupBy"]);

/** True if the call uses this argument at once, or once and soon. */
function isUsedOnTheSpot(call: Extract<Node, { type: "CallExpression" | "NewExpression" }>, argument: Node | null): boolean {
  const name = calleeName(call.callee);
  return onTheSpot.has(name) && (takesLater.has(name) || argument === null || call.arguments[0] === argument || isTimer(name, call));
}

/** What a timer, or a tick, is given besides its function is handed to that. */
function isTimer(name: string, { arguments: [first] }: { readonly arguments: readonly Node[] }): boolean {
  return /^(setTimeout|setImmediate|nextTick|forEach|reduce|reduceRight)$/.test(name) && first !== undefined && first.type !== "Literal" && first.type !== "TemplateLiteral";
}

/** Callees that await the function they are given, and are done with it. */
const awaiting = new Set([
  "transaction", "$transaction", "withTransaction", "tx", "runInTransaction", "transact", "run", "runExclusive", "runInContext", "withLock", "retry", "pRetry", "backOff", "startActiveSpan",
  "trace", "measure", "timed", "acquire", "using", "step", "test", "it",
]);

const eventMethods = new Set(["on", "once", "addListener", "addEventListener", "prependListener"]);

/** True if the call only ever calls the functions that it is given: whoever wrote it pays no heed to what they look like. */
export function isDoneWithCallbacks(callee: Node): boolean {
  const name = calleeName(callee);
  return onTheSpot.has(name) || eventMethods.has(name) || /^(setInterval|createServer|createSecureServer)$/.test(name) || (awaiting.has(name) && !/^(step|test|it|run)$/.test(name));
}

/** Names of what lives as long as one request. */
const requestNames = /^_?(req|request|res|response|reply|rep|incoming|outgoing)$/;

/** Ways from a request to what lives longer: more requests come on one connection. */
const outlasting = /^(app|server|socket|connection|session|client|parser|agent)$/;

export function isRequestName(name: string): boolean {
  return requestNames.test(name);
}

/** True if a function passed to this call ends with the request, or with the call, that it was made for. */
export function endsWithCall(callee: Node): boolean {
  const name = calleeName(callee);
  if (awaiting.has(name)) return true;
  if (!eventMethods.has(name) || callee.type !== "MemberExpression") return false;
  let root: Node = callee.object;
  for (; root.type === "MemberExpression"; root = root.object) if (outlasting.test(keyName(root.property, root.computed) ?? "app")) return false;
  return root.type === "Identifier" && requestNames.test(root.name);
}

/** Classifies a function by where it stands. `uses` tells how a local name is used. */
export function labelOf(fn: FunctionNode, parent: Node, source: string, uses: (name: string) => boolean): Closure {
  const make = (label: string, escapes: boolean, extra: Partial<Closure> = {}): Closure => ({
    fn, label, escapes, callee: null, isInFlight: false, isMethod: false, name: fn.type === "ArrowFunctionExpression" ? null : (fn.id?.name ?? null), ...extra,
  });
  if (fn.type === "FunctionDeclaration") {
    const name = fn.id?.name ?? "default";
    return make(name, uses(name), { name });
  }
  switch (parent.type) {
    case "CallExpression":
    case "NewExpression": {
      if (parent.callee === fn) return make("iife", false);
      const callee = calleeName(parent.callee);
      const first = parent.arguments[0];
      const hasLiteral = first?.type === "Literal" && typeof first.value === "string" && parent.arguments.length > 1;
      const label = hasLiteral ? `${callee}(${JSON.stringify(first.value)})` : callee;
      const isEndless = fn.type !== "ArrowFunctionExpression" && fn.id ? startsItselfAgain(fn, fn.id.name, fn) : false;
      return make(label, isEndless || !isUsedOnTheSpot(parent, fn), { callee, isInFlight: !isEndless && endsWithCall(parent.callee) });
    }
    case "Property":
      return make(`.${keyName(parent.key, parent.computed) ?? "[]"}`, true, { isMethod: parent.method || parent.kind !== "init", name: keyName(parent.key, parent.computed) });
    case "ReturnStatement":
    case "ArrowFunctionExpression":
      return make("return", true);
    case "VariableDeclarator": {
      const name = parent.id.type === "Identifier" ? parent.id.name : null;
      return make(name ?? "[]", name === null || uses(name), { name });
    }
    case "AssignmentPattern": {
      const name = parent.left.type === "Identifier" ? parent.left.name : null;
      return make(name ?? "[]", name === null || uses(name), { name });
    }
    case "AssignmentExpression":
      return make(`=${source.slice(parent.left.start, parent.left.end)}`, true);
    default:
      return make(parent.type, true);
  }
}

/** True if a local function's name is used other than by calling it or passing it on the spot, within a region, or if it starts itself again. */
export function closureUses({ byName }: Pick<Scopes, "byName">, name: string, region: Node, fn: FunctionNode): boolean {
  if (startsItselfAgain(fn, name, region)) return true;
  for (const ref of referencesIn(byName.get(name) ?? [], region.start, region.end)) {
    if (ref.role === "call") continue;
    const { parent } = ref;
    if ((parent.type === "CallExpression" || parent.type === "NewExpression") && isUsedOnTheSpot(parent, parent.arguments.find((argument) => argument.start === ref.start) ?? null)) continue;
    if (isFunction(parent) && parent.type === "FunctionDeclaration") continue;
    return true;
  }
  return false;
}

import { boundNames, isFunction, keyName, type FunctionNode, type Node } from "./syntax.ts";

type Call = Extract<Node, { type: "CallExpression" | "NewExpression" }>;

/** Functions of Node's and of well-known packages that keep a function for later events, and do not call it while the process starts. */
const keepers = new Set([
  "createDeflateRaw", "createInflateRaw", "createDeflate", "createInflate", "createGzip", "createGunzip", "createUnzip", "createBrotliCompress", "createBrotliDecompress",
  "setInterval", "createServer", "createSecureServer", "setErrorHandler", "setNotFoundHandler", "setSchemaErrorFormatter", "addContentTypeParser", "route", "watchFile",
]);

/** Route methods: keep a handler if a path comes first. */
const routeMethods = new Set(["get", "post", "put", "delete", "patch", "head", "options", "all", "search", "trace", "ws"]);

const eventMethods = new Set(["on", "once", "addListener", "addEventListener", "prependListener", "prependOnceListener"]);

/** Events that come while a process starts. */
const startEvents = /^(ready|listening|open|opened|connect|connected|connection|online|load|loaded|start|started|init|initialized|mount|bootstrap|spawn|secureConnect|newListener|register|route|worker|plugin|exit|beforeExit)$/i;

/** Life-cycle hooks that run once, before the first request. */
const startHooks = new Set(["onReady", "onListen", "onRegister", "onRoute"]);

/** Functions that put a function into an object that the app can take it from again. */
const containers = new Set(["push", "unshift", "set", "add", "concat", "splice", "fill", "freeze", "seal", "assign", "fromEntries", "of", "entries", "values", "keys", "Map", "Set", "WeakMap", "WeakSet", "WeakRef", "Array", "resolve", "all", "bind", "decorate", "decorateRequest", "decorateReply", "function", "deprecate"]);

/** Functions that give back a function which calls the one that they were given: `util.deprecate`, depd's `deprecate.function`. */
export function isWrapper(name: string): boolean {
  return name === "function" || name === "deprecate";
}

/** True for functions that give back what they were given, or hold it. */
export function isContainer(name: string): boolean {
  return containers.has(name);
}

/** Functions that call what they are given, at once or soon. */
const callers = new Set([
  "map", "filter", "forEach", "reduce", "reduceRight", "some", "every", "find", "findIndex", "findLast", "findLastIndex", "sort", "toSorted", "flatMap", "from", "fromAsync", "groupBy",
  "then", "catch", "finally", "Promise", "setTimeout", "setImmediate", "nextTick", "queueMicrotask", "register", "after", "ready", "run", "runInAsyncScope", "plugin",
]);

/**
 * What becomes of a value that is handed to a function: nothing before a later request, called when an event of that
 * object comes, put where the app can find it,
 * perhaps called if it is a function at all, or surely called.
 */
export type Fate = "kept" | "listening" | "contained" | "handed" | "called";

/** `name`: the callee's last name. */
export function fateOutside(name: string, call: Call, argument: Node, functionOf: (node: Node) => FunctionNode | null): Fate {
  if (keepers.has(name)) return "kept";
  const first = call.arguments[0];
  if (isRouteCall(call)) return "kept";
  const event = first?.type === "Literal" && typeof first.value === "string" ? first.value : null;
  if (eventMethods.has(name) && event !== null) return startEvents.test(event) ? "handed" : "listening";
  if (name === "addHook") return event !== null && !startHooks.has(event) ? "kept" : "handed";
  if (name === "use") {
    const fn = functionOf(argument);
    return fn !== null && isMiddleware(fn) ? "kept" : "handed";
  }
  if (name === "all" && argument.type === "ArrayExpression") return "contained";
  // `Array.from(list, fn)`, `Buffer.from(text)` call what comes second, and walk through what comes first.
  if (name === "from" && argument === first && isLanguageList(call.callee)) return "contained";
  if (callers.has(name)) return "called";
  return containers.has(name) ? "contained" : "handed";
}

function isLanguageList(callee: Node): boolean {
  return callee.type === "MemberExpression" && callee.object.type === "Identifier" && /^(Array|Buffer|(Big)?(Int|Uint|Float)\d+(Clamped)?Array)$/.test(callee.object.name);
}

/** True for `app.get("/items", …)` and its like. */
export function isRouteCall(call: Call): boolean {
  return routeMethods.has(calleeName(call.callee)) && ((call.arguments.length > 1 && isPath(call.arguments[0])) || isRouteChain(call.callee));
}

/** `router.route("/").get(list).post(create)`: the path came before. */
function isRouteChain(callee: Node): boolean {
  const before = callee.type === "MemberExpression" ? callee.object : null;
  if (before?.type !== "CallExpression") return false;
  const name = calleeName(before.callee);
  return (name === "route" && isPath(before.arguments[0])) || (routeMethods.has(name) && isRouteChain(before.callee));
}

function isPath(node: Node | undefined): boolean {
  if (node?.type === "Literal") return "regex" in node && node.regex !== undefined ? true : typeof node.value === "string" && /^[/*]/.test(node.value);
  if (node?.type === "TemplateLiteral") return /^[/*]/.test(node.quasis[0]?.value.raw ?? "");
  return node?.type === "ArrayExpression" && node.elements.length > 0 && node.elements.every((element) => element !== null && isPath(element));
}

/** Methods by which code tells its listeners of an event. */
export function isEmitting(name: string): boolean {
  return /^(emit|emitAsync|emitSerial|dispatch|dispatchEvent|trigger|publish|fire|notify|abort)$/.test(name);
}

/** Functions that run a text as code, outside of the scope that they are called in. */
export function isCodeRunner(name: string): boolean {
  return /^(eval|Function|runInThisContext|runInContext|runInNewContext|Script|compileFunction)$/.test(name);
}

/** The names in a text that is run as code; null if it is not written out. */
export function wordsIn(node: Node): readonly string[] | null {
  if (node.type !== "Literal" && (node.type !== "TemplateLiteral" || node.expressions.length > 0)) return null;
  const text = node.type === "Literal" ? String(node.value) : node.quasis[0]!.value.raw;
  return text.match(/[\p{ID_Start}$_][\p{ID_Continue}$]*/gu) ?? [];
}

const takers = new Set(["get", "pop", "shift", "at", "find", "findLast", "next", "values", "entries", "slice", "filter", "concat", "flat", "map", "reduce", "?"]);

/** Methods by which something is taken out of a list or a map. */
export function isTaker(name: string): boolean {
  return takers.has(name);
}

/** The language's functions that give what they were given, now or later, also in a list. */
export function isGivingBack(name: string): boolean {
  return /^(resolve|all|race|any|allSettled|freeze|seal|preventExtensions|of)$/.test(name);
}

/** Functions that read, or give, every property of an object. */
export function isWholeReader(name: string): boolean {
  return /^(assign|values|entries|stringify|structuredClone|URLSearchParams|Headers|FormData)$/.test(name);
}

/** Functions that write an object out as text, by its `toJSON` if it has one. */
export function isPrinting(name: string): boolean {
  return /^(stringify|json|send|log|info|warn|error|debug|trace|fatal|inspect|format|dir|print|write|end|serialize|formatWithOptions|table)$/.test(name);
}

/** Classes of Node's and the language's that call a method of a subclass only if its name begins with `_`, if at all. */
export function isPassiveBase(name: string): boolean {
  return /^(.*Error|EventEmitter|EventTarget|Map|Set|WeakMap|WeakSet|Array|Promise|Object|AsyncResource|Readable|Writable|Transform|Duplex|PassThrough|Server|Agent)$/.test(name);
}

/** By the names of its parameters: what a web framework calls per request, not what sets something up. */
function isMiddleware(fn: FunctionNode): boolean {
  const names = fn.params.map((param) => boundNames(param)[0]?.replace(/^_/, ""));
  const [first, second] = /^(e|err|error)$/.test(names[0] ?? "") && names.length === 4 ? names.slice(1) : names;
  if (/^(req|request)$/.test(first ?? "")) return /^(res|response|reply)$/.test(second ?? "");
  return /^(c|ctx|context)$/.test(first ?? "") && second === "next";
}

/** Names by which well-known callers hand in their own functions; calling them runs nothing of the app's that was not there before. */
export function isOutsideCallback(name: string): boolean {
  return name === "resolve" || name === "reject" || name === "done" || name === "next";
}

/** The last name of what is called; "?" if it has none. */
export function calleeName(callee: Node): string {
  if (callee.type === "MemberExpression") return keyName(callee.property, callee.computed) ?? "?";
  if (callee.type === "Identifier") return callee.name;
  if (callee.type === "ChainExpression") return calleeName(callee.expression);
  return "?";
}

/** True if the expression cannot be or hold a function or an object with methods of the app's. */
export function isPlainData(node: Node | null): boolean {
  if (node === null) return true;
  switch (node.type) {
    case "Literal":
      return true;
    case "TemplateLiteral":
      return node.expressions.every((expression) => isPlainData(expression));
    case "ObjectExpression":
      return node.properties.every((property) => (property.type === "SpreadElement" ? false : isPlainData(property.value)));
    case "ArrayExpression":
      return node.elements.every((element) => isPlainData(element));
    case "MemberExpression":
      return node.object.type === "MemberExpression" || node.object.type === "Identifier";
    case "UnaryExpression":
      return true;
    case "BinaryExpression":
      return true;
    case "LogicalExpression":
      return isPlainData(node.left) && isPlainData(node.right);
    case "ConditionalExpression":
      return isPlainData(node.consequent) && isPlainData(node.alternate);
    default:
      return isFunction(node);
  }
}

/** `Reflect.get`, or `get` by itself: `app.get("/items", handler)` reads nothing. */
export function isReflections(callee: Call["callee"]): boolean {
  return callee.type === "MemberExpression" ? callee.object.type === "Identifier" && callee.object.name === "Reflect" : callee.type === "Identifier";
}

import { calleeName } from "./callees.ts";
import { forEachChild, isFunction, type FunctionNode, type Node } from "./syntax.ts";

/** Callees that run a function while the call lasts; others on the spot run it later. */
const immediate = new Set([
  "map", "filter", "forEach", "reduce", "reduceRight", "some", "every", "find", "findIndex", "findLast", "findLastIndex", "sort", "toSorted", "flatMap",
  "from", "groupBy", "replace", "replaceAll",
]);

/**
 * True if a function may start itself again after it has returned: a timer that arms itself, a promise chain without
 * end. `name`: what it is called inside. Such a function goes on for ever on the text that it began with.
 * Functions that arm each other count, too: `around` is where their names are looked up.
 */
export function startsItselfAgain(fn: FunctionNode, name: string, around: Node): boolean {
  const locals = namedIn(around);
  const seen = new Set<string>();
  /** `isLater`: the name is reached by way of something that runs after the call. */
  const leadsBack = (from: FunctionNode, isLater: boolean): boolean =>
    mentionsIn(from).some((mention) => {
      const later = isLater || mention.isLater;
      if (mention.name === name) return later;
      const next = locals.get(mention.name);
      const key = `${mention.name} ${later}`;
      if (next === undefined || seen.has(key)) return false;
      seen.add(key);
      return leadsBack(next, later);
    });
  return leadsBack(fn, false);
}

/** Callees that run what they are given after the call. */
const later: ReadonlySet<string> = new Set(["setTimeout", "setInterval", "setImmediate", "nextTick", "queueMicrotask", "then", "catch", "finally"]);

/**
 * True if a function has itself run again later, by itself or by way of others that are named in `around`. Not by what
 * hands an argument on to the next turn (`setImmediate(next, error)`): that breaks a deep stack, and comes to an end.
 */
export function armsItselfAgain(fn: FunctionNode, name: string, around: Node): boolean {
  const locals = namedIn(around);
  const seen = new Set<string>();
  const leadsBack = (from: FunctionNode, isBefore: boolean): boolean => {
    let found = false;
    const walk = (node: Node, isLater: boolean): void => {
      if (found) return;
      if (node.type === "Identifier") {
        const next = node.name === name ? fn : locals.get(node.name);
        const key = `${node.name} ${isLater}`;
        if (next === fn) found = isLater;
        if (next === undefined || next === fn || seen.has(key)) return;
        seen.add(key);
        found = leadsBack(next, isLater);
        return;
      }
      const isCall = node.type === "CallExpression" && later.has(calleeName(node.callee));
      const isHandingOn = isCall && /^(setImmediate|nextTick)$/.test(calleeName(node.callee)) && node.arguments.length > 1;
      forEachChild(node, (child) => walk(child, isLater || (isCall && !isHandingOn) || (isFunction(node) && node.async)));
    };
    walk(from.body, isBefore || from.async);
    return found;
  };
  return leadsBack(fn, false);
}

const named = new WeakMap<Node, ReadonlyMap<string, FunctionNode>>();

function namedIn(region: Node): ReadonlyMap<string, FunctionNode> {
  let found = named.get(region);
  if (found !== undefined) return found;
  const all = new Map<string, FunctionNode>();
  const walk = (node: Node): void => {
    if (node.type === "FunctionDeclaration" && node.id) all.set(node.id.name, node);
    else if (node.type === "VariableDeclarator" && node.id.type === "Identifier" && node.init && isFunction(node.init)) all.set(node.id.name, node.init);
    forEachChild(node, walk);
  };
  forEachChild(region, walk);
  named.set(region, (found = all));
  return found;
}

interface Mention {
  readonly name: string;
  /** Other than by a call, or by passing it on to be called at once. */
  readonly isLater: boolean;
}

const mentioned = new WeakMap<FunctionNode, readonly Mention[]>();

function mentionsIn(fn: FunctionNode): readonly Mention[] {
  let found = mentioned.get(fn);
  if (found !== undefined) return found;
  const all: Mention[] = [];
  const walk = (node: Node, isLater: boolean): void => {
    if (node.type === "CallExpression" || node.type === "NewExpression") {
      if (node.callee.type === "Identifier") all.push({ name: node.callee.name, isLater });
      else if (isFunction(node.callee)) walk(node.callee.body, isLater || node.callee.async);
      else walk(node.callee, isLater);
      const isAtOnce = immediate.has(calleeName(node.callee));
      for (const argument of node.arguments) {
        if (isAtOnce && argument.type === "Identifier") all.push({ name: argument.name, isLater });
        else if (isAtOnce && isFunction(argument)) walk(argument.body, isLater || argument.async);
        else walk(argument, isLater);
      }
      return;
    }
    if (node.type === "Identifier") all.push({ name: node.name, isLater: true });
    else if (isFunction(node)) forEachChild(node, (child) => walk(child, true));
    else forEachChild(node, (child) => walk(child, isLater));
  };
  walk(fn.body, fn.async || fn.generator);
  mentioned.set(fn, (found = all));
  return found;
}

/**
 * True if a call may never end: it waits, or gives a value, inside of a loop that nothing bounds. `skips`: functions
 * whose text is looked at on their own.
 */
export function mayRunForEver(fn: FunctionNode, skips: (fn: FunctionNode) => boolean, isBounded: (loop: Node) => boolean): boolean {
  let found = false;
  const walk = (node: Node, isInLoop: boolean): void => {
    if (found || (isFunction(node) && skips(node))) return;
    if (isInLoop && (node.type === "AwaitExpression" || node.type === "YieldExpression")) {
      found = true;
      return;
    }
    if (node.type === "ForOfStatement" && node.await && !isBounded(node)) {
      found = true;
      return;
    }
    const isOpen = node.type === "WhileStatement" || node.type === "DoWhileStatement" || (node.type === "ForStatement" && !(node.test && node.update));
    forEachChild(node, (child) => walk(child, !isFunction(node) && (isInLoop || isOpen)));
  };
  walk(fn.params.length > 0 ? fn : fn.body, false);
  return found;
}

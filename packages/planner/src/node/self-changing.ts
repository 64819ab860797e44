import { detailOf, findOrigin, resolveUnit, type AppShape } from "./app.ts";
import { calleeName } from "./callees.ts";
import { functionNamed } from "./in-flight.ts";
import { isMutator } from "./mutation.ts";
import { containsOwn, forEachChild, isFunction, type FunctionNode, type Node } from "./syntax.ts";

/** True if an object that the expression makes has a method by which it changes itself: `{ n: 0, up() { this.n++ } }`. */
export function changesItself(value: Node, unit: string, app: AppShape, seen: Set<Node> = new Set()): boolean {
  if (seen.has(value)) return false;
  seen.add(value);
  let found = false;
  const walk = (node: Node): void => {
    if (found) return;
    if (isFunction(node)) found = changesThis(node);
    else if (node.type === "Identifier") found = isSelfChanging(node, unit, app, seen);
    else if (node.type === "Property") {
      if (node.computed) walk(node.key);
      walk(node.value);
    } else if (node.type === "MemberExpression") walk(node.object);
    else forEachChild(node, walk);
  };
  walk(value);
  return found;
}

/** What a name gives to an object: a method, or, spread or as its prototype, another object's methods. */
function isSelfChanging(node: Extract<Node, { type: "Identifier" }>, unit: string, app: AppShape, seen: Set<Node>): boolean {
  const named = functionNamed(app, unit, node);
  if (named !== null) return changesThis(named.fn);
  const facts = detailOf(app, unit)?.facts;
  const imported = facts?.imports.get(node.name);
  const from = imported === undefined ? null : resolveUnit(app, unit, imported.specifier);
  const origin = imported === undefined ? { kind: "binding" as const, unit, local: node.name } : from === null ? null : findOrigin(app, from, imported.imported);
  if (origin?.kind !== "binding") return false;
  const value = detailOf(app, origin.unit)?.facts.declarations.get(origin.local)?.value;
  return value !== null && value !== undefined && changesItself(value, origin.unit, app, seen);
}

/** True if a call of the function may change the object that it is called on, or hand it to somebody who may. */
export function changesThis(fn: FunctionNode): boolean {
  if (fn.type === "ArrowFunctionExpression") return false;
  let all = 0;
  let harmless = 0;
  const changes = containsOwn(fn, (node) => {
    switch (node.type) {
      case "ThisExpression":
        all++;
        return false;
      case "MemberExpression":
        if (node.object.type === "ThisExpression") harmless++;
        return false;
      case "ReturnStatement":
        if (node.argument?.type === "ThisExpression") harmless++;
        return false;
      case "AssignmentExpression":
        return isOfThis(node.left);
      case "UpdateExpression":
        return isOfThis(node.argument);
      case "UnaryExpression":
        return node.operator === "delete" && isOfThis(node.argument);
      case "CallExpression":
        return node.callee.type === "MemberExpression" && isMutator(calleeName(node.callee)) && isOfThis(node.callee.object);
      default:
        return false;
    }
  });
  return changes || all > harmless;
}

function isOfThis(target: Node): boolean {
  if (target.type === "ThisExpression") return true;
  if (target.type === "MemberExpression") return isOfThis(target.object);
  return (target.type === "ObjectPattern" || target.type === "ArrayPattern") && containsOwn(target, (inner) => inner.type === "ThisExpression");
}

/** Calls that begin anew whatever a `g` expression's `lastIndex` says. */
const anew = new Set(["match", "matchAll", "replace", "replaceAll", "split", "search"]);

/** True if the node is a call that pays no heed to where a `g` expression stopped. */
export function beginsAnew(node: Node): boolean {
  return node.type === "CallExpression" && node.callee.type === "MemberExpression" && anew.has(calleeName(node.callee));
}

/** The flags by which regular expressions that the expression makes remember where they stopped (ECMA-262 §22.2.7.2). */
export function positionFlags(value: Node): string {
  let found = "";
  const walk = (node: Node): void => {
    if (node.type === "Literal" && "regex" in node && node.regex) found += node.regex.flags.replace(/[^gy]/g, "");
    if ((node.type === "NewExpression" || node.type === "CallExpression") && node.callee.type === "Identifier" && node.callee.name === "RegExp") {
      const [, flags] = node.arguments;
      if (flags !== undefined) found += flags.type === "Literal" ? String(flags.value).replace(/[^gy]/g, "") : "gy";
    }
    forEachChild(node, walk);
  };
  walk(value);
  return found;
}

/** True if code of a unit goes on from where some regular expression stopped, or hands one to what may. */
export function usesPosition(program: Node, isSticky: boolean): boolean {
  let found = false;
  const walk = (node: Node): void => {
    if (node.type === "MemberExpression" && /^(exec|test|lastIndex|\?)$/.test(calleeName(node)) && !(node.object.type === "Literal" && "regex" in node.object)) found = true;
    else if (isSticky && node.type === "CallExpression" && anew.has(calleeName(node.callee))) found = true;
    if (!found) forEachChild(node, walk);
  };
  walk(program);
  return found;
}

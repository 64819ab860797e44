import { detailOf, findOrigin, resolveUnit, type AppShape } from "./app.ts";
import { calleeName } from "./callees.ts";
import { endsWithCall, isOnTheSpot } from "./closures.ts";
import { namesOf } from "./names.ts";
import type { Site } from "./sites.ts";
import { boundNames, forEachChild, isFunction, type FunctionNode, type Node } from "./syntax.ts";

const maxDepth = 4;

/**
 * True if a closure is handed to functions of the app that only call it: it ends when that call does, and finishes on
 * the text that it began with.
 */
export function endsWithItsCall(app: AppShape, unit: string, site: Site, candidates: (key: string) => readonly { readonly unit: string; readonly site: Site }[] | null): boolean {
  const detail = detailOf(app, unit);
  const call = detail === null ? undefined : namesOf(detail).parents.get(site.fn);
  if (call?.type !== "CallExpression") return false;
  const index = call.arguments.indexOf(site.fn as never);
  if (index === -1 || call.arguments.slice(0, index).some((argument) => argument.type === "SpreadElement")) return false;
  return onlyCalls(app, unit, call.callee, index, candidates, 0);
}

/** True if what is called there only calls its argument at `index`. */
function onlyCalls(app: AppShape, unit: string, callee: Node, index: number, candidates: Parameters<typeof endsWithItsCall>[3], depth: number): boolean {
  if (depth > maxDepth) return false;
  if (callee.type === "Identifier") {
    const found = functionNamed(app, unit, callee);
    return found !== null && isOnlyCalled(app, found.unit, found.fn, index, candidates, depth);
  }
  if (callee.type !== "MemberExpression") return false;
  const key = calleeName(callee);
  const inside = key === "?" ? null : candidates(key);
  // Only on `this` is it surely a method of the app.
  if (inside === null || inside.length === 0 || callee.object.type !== "ThisExpression") return false;
  return inside.every((one) => isOnlyCalled(app, one.unit, one.site.fn, index, candidates, depth));
}

/** The one function that a name stands for in a unit; null if it stands for anything else, or perhaps. */
export function functionNamed(app: AppShape, unit: string, node: Node): { unit: string; fn: FunctionNode } | null {
  if (isFunction(node)) return { unit, fn: node };
  const detail = detailOf(app, unit);
  if (detail === null || node.type !== "Identifier") return null;
  const { name } = node;
  const imported = detail.facts.imports.get(name);
  if (imported !== undefined) {
    const from = resolveUnit(app, unit, imported.specifier);
    const origin = from === null ? null : findOrigin(app, from, imported.imported);
    return origin?.kind === "binding" ? declaredFunction(app, origin.unit, origin.local) : null;
  }
  return declaredFunction(app, unit, name);
}

function declaredFunction(app: AppShape, unit: string, name: string): { unit: string; fn: FunctionNode } | null {
  const detail = detailOf(app, unit);
  if (detail === null) return null;
  const declaration = detail.facts.declarations.get(name);
  // One name, one meaning: a local of that name might be meant instead.
  if (declaration?.isFunctionValue !== true || (declaration.kind !== "function" && declaration.kind !== "const") || namesOf(detail).sources.get(name)?.length !== 1) return null;
  return declaration.value !== null && isFunction(declaration.value) ? { unit, fn: declaration.value } : null;
}

/** True if a function does nothing with the argument at `index` but to call it, while its own call lasts. */
export function isOnlyCalled(app: AppShape, unit: string, fn: FunctionNode, index: number, candidates: Parameters<typeof endsWithItsCall>[3], depth: number): boolean {
  const param = fn.params[index];
  if (param === undefined && fn.params.at(-1)?.type !== "RestElement" && !mentions(fn.body, "arguments")) return true;
  if (param?.type !== "Identifier" || fn.generator || fn.params.slice(0, index).some((before) => before.type === "RestElement")) return false;
  const { name } = param;
  const sites = detailOf(app, unit)!.facts.byFunction;
  let isOnly = true;
  const is = (node: Node): boolean => node.type === "Identifier" && node.name === name;
  const walk = (node: Node): void => {
    if (!isOnly) return;
    if (is(node) || (node.type === "Identifier" && node.name === "arguments")) {
      isOnly = false;
      return;
    }
    if (node.type === "CallExpression") {
      if (!is(node.callee)) walk(node.callee);
      node.arguments.forEach((argument, i) => {
        if (!is(argument)) walk(argument);
        else if (!isOnTheSpot(calleeName(node.callee)) && !endsWithCall(node.callee) && !onlyCalls(app, unit, node.callee, i, candidates, depth + 1)) isOnly = false;
      });
      return;
    }
    if (node.type === "MemberExpression") {
      walk(node.object);
      if (node.computed) walk(node.property);
      return;
    }
    if (node.type === "Property") {
      if (node.computed) walk(node.key);
      return walk(node.value);
    }
    if (isFunction(node)) {
      if (node.params.some((inner) => boundNames(inner).includes(name))) return;
      // Kept in a function that lives on, it lives on itself.
      if (sites.get(node)?.escapes === true && mentions(node, name)) {
        isOnly = false;
        return;
      }
    }
    forEachChild(node, walk);
  };
  walk(fn.body);
  return isOnly;
}

function mentions(node: Node, name: string): boolean {
  let found = false;
  const walk = (at: Node): void => {
    if (at.type === "Identifier" && at.name === name) found = true;
    else if (!found) forEachChild(at, walk);
  };
  walk(node);
  return found;
}

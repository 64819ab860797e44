import type { UnitDetail } from "./analyze.ts";
import { isRequestName } from "./closures.ts";
import { forEachChild, isFunction, type Node } from "./syntax.ts";

type Of<T extends Node["type"]> = Extract<Node, { type: T }>;

/** `cache ??= build()`, `cache = cache ?? build()`: what is built once and found by every later call. */
export function keptByAssignment(node: Of<"AssignmentExpression">, detail: UnitDetail): Node[] {
  if (!outlives(node.left, detail)) return [];
  if (node.operator === "??=" || node.operator === "||=") return [node.right];
  const { right } = node;
  return right.type === "LogicalExpression" && right.operator !== "&&" && isSame(node.left, right.left, detail) ? [right.right] : [];
}

/** `if (!cache) cache = build()`, `if (cache === undefined) …`, `if (!map.has(key)) map.set(key, build())`. */
export function keptByIf({ test, consequent }: Of<"IfStatement">, detail: UnitDetail): Node[] {
  const absent = test.type === "UnaryExpression" && test.operator === "!" ? test.argument : test.type === "BinaryExpression" && /^===?$/.test(test.operator) && isNothing(test.right) ? test.left : null;
  if (absent === null) return [];
  const kept: Node[] = [];
  const walk = (node: Node): void => {
    if (isFunction(node)) return;
    if (node.type === "AssignmentExpression" && isSame(node.left, absent, detail)) (outlives(node.left, detail) ? kept : made).push(node.right);
    if (node.type === "CallExpression" && isSetting(node, absent, detail)) kept.push(...node.arguments);
    // `let v = map.get(key); if (!v) { v = build(); map.set(key, v); }`
    if (node.type === "CallExpression" && node.arguments.some((argument) => isSame(argument, absent, detail)) && isStore(node, detail)) isStored = true;
    forEachChild(node, walk);
  };
  const made: Node[] = [];
  let isStored = false;
  walk(consequent);
  return isStored ? [...kept, ...made] : kept;
}

/** `x.set(…)` or `x.add(…)` where it was asked whether x has, or gives, something. */
function isSetting(call: Of<"CallExpression">, absent: Node, detail: UnitDetail): boolean {
  const { callee } = call;
  if (callee.type !== "MemberExpression" || !isStore(call, detail)) return false;
  const asked = absent.type === "CallExpression" && absent.callee.type === "MemberExpression" ? absent.callee.object : null;
  return asked !== null && isSame(asked, callee.object, detail);
}

function isStore({ callee }: Of<"CallExpression">, detail: UnitDetail): boolean {
  return callee.type === "MemberExpression" && callee.property.type === "Identifier" && /^(set|add)$/.test(callee.property.name) && outlives(callee, detail);
}

/** True if what is put there is there at the next call: a variable of the unit, a property of `this` or of what was handed in. */
function outlives(target: Node, { scopes }: UnitDetail): boolean {
  let root = target;
  while (root.type === "MemberExpression") root = root.object;
  if (root.type === "ThisExpression") return true;
  if (root.type !== "Identifier") return false;
  const { name, start } = root;
  const where = scopes.byName.get(name)?.find((ref) => ref.start === start)?.where;
  return where === "local" ? target.type === "MemberExpression" && !isRequestName(name) : true;
}

function isSame(a: Node, b: Node, { text }: UnitDetail): boolean {
  return text.normalise(a.start, a.end) === text.normalise(b.start, b.end);
}

function isNothing(node: Node): boolean {
  return (node.type === "Identifier" && node.name === "undefined") || (node.type === "Literal" && node.value === null);
}

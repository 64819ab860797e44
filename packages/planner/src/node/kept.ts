import type { UnitDetail } from "./analyze.ts";
import { isRequestName } from "./closures.ts";
import { forEachChild, isFunction, keyName, type Node } from "./syntax.ts";

/** What is computed once and kept. */
export interface Kept {
  readonly node: Node;
  /** It is kept in the object that the code is a method of, and lives as long as that. */
  readonly isOwn: boolean;
}

/** True if a name stands for an object that its function makes anew at each call. */
export type IsFresh = (name: string) => boolean;

type Of<T extends Node["type"]> = Extract<Node, { type: T }>;

/** `cache ??= build()`, `cache = cache ?? build()`: what is built once and found by every later call. */
export function keptByAssignment(node: Of<"AssignmentExpression">, detail: UnitDetail, isFresh: IsFresh): Kept[] {
  if (!outlives(node.left, detail, isFresh)) return [];
  const isOwn = isOwnOf(node.left);
  if (node.operator === "??=" || node.operator === "||=") return [{ node: node.right, isOwn }];
  const { right } = node;
  return right.type === "LogicalExpression" && right.operator !== "&&" && isSame(node.left, right.left, detail) ? [{ node: right.right, isOwn }] : [];
}

/** `if (!cache) cache = build()`, `if (cache === undefined) …`, `if (!map.has(key)) map.set(key, build())`. */
export function keptByIf({ test, consequent, alternate }: Of<"IfStatement">, detail: UnitDetail, isFresh: IsFresh): Kept[] {
  return [...keptWhere(absentIn(test), [consequent], detail, isFresh), ...(alternate ? keptWhere(presentIn(test), [alternate], detail, isFresh) : [])];
}

/** `cache || (cache = build())`, `cache ? cache : (cache = build())`. */
export function keptByChoice(node: Of<"LogicalExpression"> | Of<"ConditionalExpression">, detail: UnitDetail, isFresh: IsFresh): Kept[] {
  if (node.type === "ConditionalExpression") return [...keptWhere(presentIn(node.test), [node.alternate], detail, isFresh), ...keptWhere(absentIn(node.test), [node.consequent], detail, isFresh)];
  return node.operator === "&&" ? keptWhere(absentIn(node.left), [node.right], detail, isFresh) : keptWhere(presentIn(node.left), [node.right], detail, isFresh);
}

/** `if (cache) return cache;`, `const hit = map.get(key); if (hit) return hit;`, and what comes after it in the block. */
export function keptByReturn(body: readonly Node[], detail: UnitDetail, isFresh: IsFresh): Kept[] {
  const kept: Kept[] = [];
  body.forEach((statement, i) => {
    if (statement.type !== "IfStatement" || i === body.length - 1 || !returns(statement.consequent)) return;
    const present = presentIn(statement.test).map((found) => sourceOf(found, body.slice(0, i)));
    if (present.length > 0) kept.push(...keptWhere(present, body.slice(i + 1), detail, isFresh));
  });
  return kept;
}

function returns(node: Node): boolean {
  return node.type === "ReturnStatement" ? Boolean(node.argument) : node.type === "BlockStatement" && node.body.some(returns);
}

/** What a local was taken out of, if it was a moment ago: the map, the property. */
function sourceOf(found: Node, before: readonly Node[]): Node {
  if (found.type !== "Identifier") return found;
  for (const statement of before) {
    if (statement.type !== "VariableDeclaration") continue;
    for (const { id, init } of statement.declarations) if (id.type === "Identifier" && id.name === found.name && init) return init.type === "AwaitExpression" ? init.argument : init;
  }
  return found;
}

/** What there is not, where the test holds. */
function absentIn(test: Node): Node[] {
  if (test.type === "UnaryExpression" && test.operator === "!") return presentIn(test.argument);
  if (test.type === "BinaryExpression" && /^===?$/.test(test.operator) && isNothing(test.right)) return [asked(test.left)];
  return test.type === "LogicalExpression" ? [...absentIn(test.left), ...absentIn(test.right)] : [];
}

/** What there is, where the test holds. */
function presentIn(test: Node): Node[] {
  switch (test.type) {
    case "Identifier":
    case "MemberExpression":
    case "CallExpression":
      return [test];
    case "ChainExpression":
      return presentIn(test.expression);
    case "UnaryExpression":
      return test.operator === "!" ? absentIn(test.argument) : [];
    case "BinaryExpression":
      if (test.operator === "in") return [test.right];
      return /^!==?$/.test(test.operator) && isNothing(test.right) ? [asked(test.left)] : [];
    case "LogicalExpression":
      return [...presentIn(test.left), ...presentIn(test.right)];
    default:
      return [];
  }
}

/** `typeof x` asks for x. */
function asked(node: Node): Node {
  return node.type === "UnaryExpression" && node.operator === "typeof" ? node.argument : node;
}

/** The values that code gives to what was asked for, where that is there at the next call; and all that it gives away beside a mark that it has been here. */
function keptWhere(asks: readonly Node[], code: readonly Node[], detail: UnitDetail, isFresh: IsFresh): Kept[] {
  if (asks.length === 0) return [];
  const kept: Kept[] = [];
  const beside: Kept[] = [];
  const locals = new Map<string, Node>();
  let isMarked = false;
  const keep = (value: Node, isOwn: boolean): void => {
    for (const node of [value, ...(value.type === "Identifier" && locals.has(value.name) ? [locals.get(value.name)!] : [])]) kept.push({ node, isOwn });
  };
  const walk = (node: Node): void => {
    if (isFunction(node)) return;
    if (node.type === "VariableDeclarator" && node.id.type === "Identifier" && node.init) locals.set(node.id.name, node.init);
    if (node.type === "AssignmentExpression") {
      const { left, right } = node;
      if (left.type === "Identifier") locals.set(left.name, right);
      const isAsked = asks.some((ask) => isSame(left, ask, detail) || (left.type === "MemberExpression" && isSame(left.object, ask, detail)));
      if (isAsked && outlives(left, detail, isFresh)) {
        if (isLiteral(right)) isMarked = true;
        else keep(right, isOwnOf(left));
      } else if (node.operator === "=" && outlives(left, detail, isFresh)) beside.push({ node: right, isOwn: isOwnOf(left) });
    }
    forEachChild(node, walk);
    if (node.type === "CallExpression" && asks.some((ask) => isSetting(node, ask, detail, isFresh))) for (const argument of node.arguments) keep(argument, isOwnOf(node.callee));
  };
  code.forEach(walk);
  if (isMarked) kept.push(...beside);
  return kept;
}

/** `x.set(…)` or `x.add(…)` where it was asked whether x has, or gives, something; or for what is put there. */
function isSetting(call: Of<"CallExpression">, ask: Node, detail: UnitDetail, isFresh: IsFresh): boolean {
  const { callee } = call;
  if (callee.type !== "MemberExpression" || !isStore(call, detail, isFresh)) return false;
  const from = ask.type === "CallExpression" && ask.callee.type === "MemberExpression" ? ask.callee.object : ask.type === "MemberExpression" ? ask.object : null;
  return (from !== null && isSame(from, callee.object, detail)) || call.arguments.some((argument) => isSame(argument, ask, detail));
}

function isStore({ callee }: Of<"CallExpression">, detail: UnitDetail, isFresh: IsFresh): boolean {
  return callee.type === "MemberExpression" && /^(set|add)$/.test(keyName(callee.property, callee.computed) ?? "") && outlives(callee, detail, isFresh);
}

/** True if what is put there is there at the next call: a variable of the unit, a property of `this` or of what was handed in. */
function outlives(target: Node, { scopes }: UnitDetail, isFresh: IsFresh): boolean {
  const root = rootOf(target);
  if (root.type === "ThisExpression") return true;
  if (root.type !== "Identifier") return false;
  const { name, start } = root;
  const where = scopes.byName.get(name)?.find((ref) => ref.start === start)?.where;
  return where === "local" ? target.type === "MemberExpression" && !isRequestName(name) && !isFresh(name) : true;
}

function isOwnOf(target: Node): boolean {
  return rootOf(target).type === "ThisExpression";
}

function rootOf(target: Node): Node {
  let root = target;
  while (root.type === "MemberExpression") root = root.object;
  return root;
}

function isSame(a: Node, b: Node, { text }: UnitDetail): boolean {
  return a.type === b.type && text.normalise(a.start, a.end) === text.normalise(b.start, b.end);
}

function isLiteral(node: Node): boolean {
  return node.type === "Literal" || (node.type === "UnaryExpression" && node.operator === "!");
}

function isNothing(node: Node): boolean {
  return (node.type === "Identifier" && node.name === "undefined") || (node.type === "Literal" && (node.value === null || node.value === "undefined"));
}

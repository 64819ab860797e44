import type { UnitDetail } from "./analyze.ts";
import { isRequestName } from "./closures.ts";
import { forEachChild, isFunction, keyName, type Node } from "./syntax.ts";

/** What is computed once and kept. */
export interface Kept {
  readonly node: Node;
  /** It is kept in the object that the code is a method of, and lives as long as that. */
  readonly isOwn: boolean;
}

/** What a name of a function's own stands for. */
export interface Locals {
  /** An object that is made anew at each call. */
  isFresh(name: string): boolean;
  /** Something that is kept in the object that the function is a method of. */
  isOwn(name: string): boolean;
}

type Of<T extends Node["type"]> = Extract<Node, { type: T }>;

/** `cache ??= build()`, `cache = cache ?? build()`: what is built once and found by every later call. */
export function keptByAssignment(node: Of<"AssignmentExpression">, detail: UnitDetail, locals: Locals): Kept[] {
  if (!outlives(node.left, detail, locals)) return [];
  const isOwn = isOwnOf(node.left, locals);
  if (node.operator === "??=" || node.operator === "||=") return [{ node: node.right, isOwn }];
  const { right } = node;
  return right.type === "LogicalExpression" && right.operator !== "&&" && isSame(node.left, right.left, detail) ? [{ node: right.right, isOwn }] : [];
}

/** `if (!cache) cache = build()`, `if (cache === undefined) …`, `if (!map.has(key)) map.set(key, build())`. */
export function keptByIf({ test, consequent, alternate }: Of<"IfStatement">, detail: UnitDetail, locals: Locals): Kept[] {
  return [...keptWhere(absentIn(test), [consequent], detail, locals), ...(alternate ? keptWhere(presentIn(test), [alternate], detail, locals) : [])];
}

/** `while (!cache) cache = build()` */
export function keptByLoop({ test, body }: Of<"WhileStatement">, detail: UnitDetail, locals: Locals): Kept[] {
  return keptWhere(absentIn(test), [body], detail, locals);
}

/** `cache || (cache = build())`, `cache ? cache : (cache = build())`. */
export function keptByChoice(node: Of<"LogicalExpression"> | Of<"ConditionalExpression">, detail: UnitDetail, locals: Locals): Kept[] {
  if (node.type === "ConditionalExpression") return [...keptWhere(presentIn(node.test), [node.alternate], detail, locals), ...keptWhere(absentIn(node.test), [node.consequent], detail, locals)];
  return node.operator === "&&" ? keptWhere(absentIn(node.left), [node.right], detail, locals) : keptWhere(presentIn(node.left), [node.right], detail, locals);
}

/** `if (cache) return cache;`, `const hit = map.get(key); if (hit) return hit;`, and what comes after it in the block. */
export function keptByReturn(body: readonly Node[], detail: UnitDetail, locals: Locals): Kept[] {
  const kept: Kept[] = [];
  body.forEach((statement, i) => {
    if (statement.type !== "IfStatement" || i === body.length - 1 || !returns(statement.consequent)) return;
    const present = presentIn(statement.test).map((found) => sourceOf(found, body.slice(0, i)));
    if (present.length > 0) kept.push(...keptWhere(present, body.slice(i + 1), detail, locals));
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
  // `list.length === 0`
  if (test.type === "BinaryExpression" && /^===?$/.test(test.operator) && test.right.type === "Literal" && test.right.value === 0 && isCount(test.left)) return [test.left];
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

function isCount(node: Node): boolean {
  return node.type === "MemberExpression" && /^(length|size)$/.test(keyName(node.property, node.computed) ?? "");
}

/** `typeof x` asks for x. */
function asked(node: Node): Node {
  return node.type === "UnaryExpression" && node.operator === "typeof" ? node.argument : node;
}

/** The values that code gives to what was asked for, where that is there at the next call; and all that it gives away beside a mark that it has been here. */
function keptWhere(asks: readonly Node[], code: readonly Node[], detail: UnitDetail, locals: Locals): Kept[] {
  if (asks.length === 0) return [];
  const kept: Kept[] = [];
  const beside: Kept[] = [];
  const given = new Map<string, Node>();
  let isMarked = false;
  const keep = (value: Node, isOwn: boolean): void => {
    for (const node of [value, ...(value.type === "Identifier" && given.has(value.name) ? [given.get(value.name)!] : [])]) kept.push({ node, isOwn });
  };
  const walk = (node: Node): void => {
    if (isFunction(node)) return;
    if (node.type === "VariableDeclarator" && node.id.type === "Identifier" && node.init) given.set(node.id.name, node.init);
    if (node.type === "AssignmentExpression") {
      const { left, right } = node;
      if (left.type === "Identifier") given.set(left.name, right);
      const isAsked = asks.some((ask) => isSame(left, ask, detail) || (left.type === "MemberExpression" && isSame(left.object, ask, detail)));
      if (isAsked && outlives(left, detail, locals)) {
        isMarked ||= isLiteral(right);
        keep(right, isOwnOf(left, locals));
      } else if (node.operator === "=" && outlives(left, detail, locals)) beside.push({ node: right, isOwn: isOwnOf(left, locals) });
    }
    forEachChild(node, walk);
    if (node.type === "CallExpression" && asks.some((ask) => isSetting(node, ask, detail, locals))) for (const argument of node.arguments) keep(argument, isOwnOf(node.callee, locals));
  };
  code.forEach(walk);
  if (isMarked) kept.push(...beside);
  return kept;
}

/** `x.set(…)` or `x.add(…)` where it was asked whether x has, or gives, something; or for what is put there. */
function isSetting(call: Of<"CallExpression">, ask: Node, detail: UnitDetail, locals: Locals): boolean {
  const { callee } = call;
  if (callee.type !== "MemberExpression" || !isStore(call, detail, locals)) return false;
  const from = ask.type === "CallExpression" && ask.callee.type === "MemberExpression" ? ask.callee.object : ask.type === "MemberExpression" ? ask.object : null;
  return (from !== null && isSame(from, callee.object, detail)) || call.arguments.some((argument) => isSame(argument, ask, detail));
}

function isStore({ callee }: Of<"CallExpression">, detail: UnitDetail, locals: Locals): boolean {
  return callee.type === "MemberExpression" && /^(set|add|push|unshift)$/.test(keyName(callee.property, callee.computed) ?? "") && outlives(callee, detail, locals);
}

/** True if what is put there is there at the next call: a variable of the unit, a property of `this` or of what was handed in. */
function outlives(target: Node, { scopes }: UnitDetail, locals: Locals): boolean {
  const root = rootOf(target);
  if (root.type === "ThisExpression") return true;
  if (root.type !== "Identifier") return false;
  const { name, start } = root;
  const where = scopes.byName.get(name)?.find((ref) => ref.start === start)?.where;
  return where === "local" ? target.type === "MemberExpression" && !isRequestName(name) && !locals.isFresh(name) : true;
}

function isOwnOf(target: Node, locals: Locals): boolean {
  const root = rootOf(target);
  return root.type === "ThisExpression" || (root !== target && root.type === "Identifier" && locals.isOwn(root.name));
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

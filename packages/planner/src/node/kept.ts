import { absentIn, presentIn } from "./absence.ts";
import type { UnitDetail } from "./analyze.ts";
import { isRequestName } from "./closures.ts";
import { firstIndex, forEachChild, isFunction, keyName, type FunctionNode, type Node } from "./syntax.ts";

/** What is computed once and kept. */
export interface Kept {
  readonly node: Node;
  /** It is kept in the object that the code is a method of, and lives as long as that. */
  readonly isOwn: boolean;
}

/** What is asked of the unit around a piece of code, beyond the statement that it stands in. */
export interface Surroundings {
  /** An object that is made anew at each call. */
  isFresh(name: string): boolean;
  /** Something that is kept in the object that the function is a method of. */
  isOwn(name: string): boolean;
  /** What is not local stands under that name for the language's own, or for a module of Node's. */
  isOfNode(name: string): boolean;
  /** What a name is given. */
  valuesOf(name: string): readonly Node[];
  /** The function that a name of the unit's is declared as, if it is one. */
  declared(name: string): readonly FunctionNode[];
  /** The functions that are known by a member's name. */
  methods(name: string): readonly FunctionNode[];
}

type Of<T extends Node["type"]> = Extract<Node, { type: T }>;

/** `cache ??= build()`, `cache = cache ?? build()`: what is built once and found by every later call. */
export function keptByAssignment(node: Of<"AssignmentExpression">, detail: UnitDetail, around: Surroundings): Kept[] {
  if (!outlives(node.left, detail, around)) return [];
  const isOwn = isOwnOf(node.left, around);
  if (node.operator === "??=" || node.operator === "||=") return [{ node: node.right, isOwn }];
  const { right } = node;
  if (node.operator === "=" && right.type === "ConditionalExpression") {
    // `cache = cache !== undefined ? cache : build()`
    const isAsked = (asks: readonly Node[]): boolean => asks.some((ask) => isSame(node.left, ask, detail));
    return [...(isAsked(presentIn(right.test)) ? [{ node: right.alternate, isOwn }] : []), ...(isAsked(absentIn(right.test)) ? [{ node: right.consequent, isOwn }] : [])];
  }
  return right.type === "LogicalExpression" && right.operator !== "&&" && isSame(node.left, right.left, detail) ? [{ node: right.right, isOwn }] : [];
}

/** `if (!cache) cache = build()`, `if (cache === undefined) …`, `if (!map.has(key)) map.set(key, build())`. */
export function keptByIf({ test, consequent, alternate }: Of<"IfStatement">, detail: UnitDetail, around: Surroundings): Kept[] {
  // The test may leave its mark itself: `if (calls++ === 0)`.
  return [...keptWhere(absentIn(test), [test, consequent], detail, around), ...(alternate ? keptWhere(presentIn(test), [alternate], detail, around) : [])];
}

/** `while (!cache) cache = build()` */
export function keptByLoop({ test, body }: Of<"WhileStatement"> | Of<"DoWhileStatement"> | Of<"ForStatement">, detail: UnitDetail, around: Surroundings): Kept[] {
  return test ? keptWhere(absentIn(test), [body], detail, around) : [];
}

/** `try { return table[key].value; } catch { table[key] = build(); }` */
export function keptByTry({ block, handler }: Of<"TryStatement">, detail: UnitDetail, around: Surroundings): Kept[] {
  if (!handler) return [];
  const asks = block.body.flatMap((statement) => (statement.type === "ReturnStatement" && statement.argument ? prefixesOf(statement.argument) : []));
  return keptWhere(asks, [handler.body], detail, around);
}

function prefixesOf(node: Node): Node[] {
  return node.type === "MemberExpression" ? [node, ...prefixesOf(node.object)] : node.type === "CallExpression" ? [node] : [];
}

/** `cache || (cache = build())`, `cache ? cache : (cache = build())`. */
export function keptByChoice(node: Of<"LogicalExpression"> | Of<"ConditionalExpression">, detail: UnitDetail, around: Surroundings): Kept[] {
  if (node.type === "ConditionalExpression") return [...keptWhere(presentIn(node.test), [node.alternate], detail, around), ...keptWhere(absentIn(node.test), [node.consequent], detail, around)];
  return node.operator === "&&" ? keptWhere(absentIn(node.left), [node.right], detail, around) : keptWhere(presentIn(node.left), [node.right], detail, around);
}

/**
 * `if (cache) return cache;`, `const hit = map.get(key); if (hit) return hit;`, and what comes after it in the block;
 * `const value = map.get(key) ?? build(key);`, and then `map.set(key, value)`.
 */
export function keptByReturn(body: readonly Node[], detail: UnitDetail, around: Surroundings): Kept[] {
  const kept: Kept[] = [];
  body.forEach((statement, i) => {
    if (i === body.length - 1) return;
    const after = body.slice(i + 1);
    if (statement.type === "VariableDeclaration") {
      for (const { init } of statement.declarations) if (init?.type === "LogicalExpression" && init.operator !== "&&") kept.push(...keptWhere(presentIn(init.left), [statement, ...after], detail, around));
    }
    if (statement.type !== "IfStatement" || !leaves(statement.consequent)) return;
    const present = presentIn(statement.test).map((found) => sourceOf(found, body.slice(0, i)));
    if (present.length > 0) kept.push(...keptWhere(present, after, detail, around));
  });
  return kept;
}

function leaves(node: Node): boolean {
  if (node.type === "BlockStatement") return node.body.some(leaves);
  return node.type === "ReturnStatement" || node.type === "BreakStatement" || node.type === "ContinueStatement";
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

/** The values that code gives to what was asked for, where that is there at the next call; and all that it gives away beside a mark that it has been here. */
function keptWhere(found: readonly Node[], code: readonly Node[], detail: UnitDetail, around: Surroundings): Kept[] {
  if (found.length === 0) return [];
  const named = found.flatMap((ask) => (ask.type === "Identifier" ? around.valuesOf(ask.name).flatMap(presentIn) : []));
  const asks = [...found, ...named].flatMap((ask) => [ask, ...givenByCall(ask, around)]);
  const kept: Kept[] = [];
  const beside: Kept[] = [];
  const given = new Map<string, Node>();
  const followed = new Set<Node>();
  let isMarked = false;
  const keep = (value: Node, isOwn: boolean): void => {
    for (const node of [value, ...(value.type === "Identifier" && given.has(value.name) ? [given.get(value.name)!] : [])]) kept.push({ node, isOwn });
  };
  const isAsked = (target: Node): boolean => asks.some((ask) => isSame(target, ask, detail) || (target.type === "MemberExpression" && isSame(target.object, ask, detail)));
  const follow = (call: Of<"CallExpression">): void => {
    for (const fn of functionsOf(call.callee, around)) {
      if (followed.has(fn)) continue;
      followed.add(fn);
      fn.params.forEach((param, i) => {
        const argument = call.arguments[i];
        if (param.type === "Identifier" && argument) given.set(param.name, argument);
      });
      walk(fn.body);
    }
  };
  const walk = (node: Node): void => {
    if (isFunction(node)) return;
    if (node.type === "VariableDeclarator" && node.id.type === "Identifier" && node.init) given.set(node.id.name, node.init);
    if (node.type === "UpdateExpression" && isAsked(node.argument) && outlives(node.argument, detail, around)) isMarked = true;
    if (node.type === "AssignmentExpression") {
      const { right } = node;
      if (node.left.type === "Identifier") given.set(node.left.name, right);
      for (const left of targetsOf(node.left)) {
        if (!outlives(left, detail, around)) continue;
        if (isAsked(left)) {
          isMarked ||= isLiteral(right);
          keep(right, isOwnOf(left, around));
        } else if (node.operator === "=") beside.push({ node: right, isOwn: isOwnOf(left, around) });
      }
    }
    forEachChild(node, walk);
    if (node.type !== "CallExpression") return;
    if (asks.some((ask) => isSetting(node, ask, detail, around))) for (const argument of node.arguments) keep(argument, isOwnOf(node.callee, around));
    const [target, ...rest] = node.arguments;
    if (target && isGiving(node) && outlives(target, detail, around) && asks.some((ask) => isSame(target, ask, detail) || (ask.type === "MemberExpression" && isSame(target, ask.object, detail)))) for (const argument of rest) keep(argument, isOwnOf(target, around));
    follow(node);
  };
  code.forEach(walk);
  if (isMarked) kept.push(...beside);
  return kept;
}

/** What an assignment gives something to, also in parts. */
function targetsOf(left: Node): readonly Node[] {
  switch (left.type) {
    case "ObjectPattern":
      return left.properties.flatMap((property) => targetsOf(property.type === "RestElement" ? property.argument : property.value));
    case "ArrayPattern":
      return left.elements.flatMap((element) => (element === null ? [] : targetsOf(element)));
    case "AssignmentPattern":
      return targetsOf(left.left);
    default:
      return [left];
  }
}

/** `Object.assign(x, …)`, `Object.defineProperty(x, …)` */
function isGiving({ callee }: Of<"CallExpression">): boolean {
  return callee.type === "MemberExpression" && callee.object.type === "Identifier" && /^(Object|Reflect)$/.test(callee.object.name) && /^(assign|definePropert(y|ies)|set)$/.test(keyName(callee.property, callee.computed) ?? "");
}

/** What a call asks for, where it calls a function of this unit: what that returns. */
function givenByCall(ask: Node, around: Surroundings): Node[] {
  if (ask.type !== "CallExpression") return [];
  return functionsOf(ask.callee, around).flatMap(({ body }) => {
    if (body.type !== "BlockStatement") return presentIn(body);
    return body.body.flatMap((statement) => (statement.type === "ReturnStatement" && statement.argument ? presentIn(statement.argument) : []));
  });
}

/** The functions of this unit that `fn()` or `this.method()` may call. */
function functionsOf(callee: Node, around: Surroundings): readonly FunctionNode[] {
  if (callee.type === "Identifier") return around.declared(callee.name);
  if (callee.type !== "MemberExpression" || callee.object.type !== "ThisExpression") return [];
  const name = keyName(callee.property, callee.computed);
  return name === null ? [] : around.methods(name);
}

/** `get table() { return this.table = build(); }`, or by `Object.defineProperty(this, "table", { value: build() })`: it takes the getter's place. */
export function keptByGetter(node: Of<"MethodDefinition"> | Of<"Property">, detail: UnitDetail, around: Surroundings): Kept[] {
  const name = keyName(node.key, node.computed);
  if (node.kind !== "get" || name === null || !isFunction(node.value)) return [];
  const kept: Kept[] = [];
  const walk = (at: Node): void => {
    if (isFunction(at) && at.type !== "ArrowFunctionExpression") return;
    if (at.type === "AssignmentExpression" && at.left.type === "MemberExpression" && keyName(at.left.property, at.left.computed) === name && outlives(at.left, detail, around)) kept.push({ node: at.right, isOwn: isOwnOf(at.left, around) });
    forEachChild(at, walk);
  };
  walk(node.value.body);
  return kept;
}

/** `Object.defineProperty(x, key, { value })` in a function: the property takes the place of what made it. */
export function keptByDefinition(body: readonly Node[], detail: UnitDetail, around: Surroundings): Kept[] {
  const kept: Kept[] = [];
  const given = new Map<string, Node>();
  const walk = (at: Node): void => {
    if (isFunction(at) || at.type === "BlockStatement") return;
    if (at.type === "VariableDeclarator" && at.id.type === "Identifier" && at.init) given.set(at.id.name, at.init);
    if (at.type === "CallExpression" && isGiving(at) && /^defineProperty$/.test(at.callee.type === "MemberExpression" ? (keyName(at.callee.property, at.callee.computed) ?? "") : "")) {
      const [target, , descriptor] = at.arguments;
      const isLasting = target !== undefined && (target.type === "ThisExpression" || (target.type === "Identifier" && outlives(target, detail, around)));
      for (const property of isLasting && descriptor?.type === "ObjectExpression" ? descriptor.properties : []) {
        if (property.type !== "Property" || keyName(property.key, property.computed) !== "value" || isFunction(property.value)) continue;
        const isOwn = isOwnOf(target!, around);
        kept.push({ node: property.value, isOwn });
        const value = property.value.type === "Identifier" ? given.get(property.value.name) : undefined;
        if (value !== undefined) kept.push({ node: value, isOwn });
      }
    }
    forEachChild(at, walk);
  };
  body.forEach(walk);
  return kept;
}

/** `let table = () => { const made = build(); table = () => made; return made; }`: a function that gives its name to another one. */
export function keptBySelf(node: Of<"AssignmentExpression">, around: Surroundings): Kept[] {
  if (node.left.type !== "Identifier") return [];
  const [value] = around.declared(node.left.name);
  if (value === undefined || value.start > node.start || value.end < node.end) return [];
  return [{ node: value.body, isOwn: false }];
}

/** `x.set(…)` or `x.add(…)` where it was asked whether x has, or gives, something; or for what is put there. */
function isSetting(call: Of<"CallExpression">, ask: Node, detail: UnitDetail, around: Surroundings): boolean {
  const { callee } = call;
  if (callee.type !== "MemberExpression") return false;
  // `cache.find(key)`, then `cache.remember(key, value)`: by whatever names a store of one's own has them.
  const isOther = ask.type === "CallExpression" && ask.callee.type === "MemberExpression" && call !== ask && call.arguments.length > 1 && !isSame(ask.callee.property, callee.property, detail) && outlives(callee, detail, around) && !isOfNode(callee, detail, around);
  if (!isOther && !isStore(call, detail, around)) return false;
  const from = ask.type === "CallExpression" && ask.callee.type === "MemberExpression" ? ask.callee.object : ask.type === "MemberExpression" ? ask.object : null;
  return (from !== null && isSame(from, callee.object, detail)) || call.arguments.some((argument) => isSame(argument, ask, detail));
}

function isStore({ callee }: Of<"CallExpression">, detail: UnitDetail, around: Surroundings): boolean {
  return callee.type === "MemberExpression" && /^(set|add|push|unshift|splice)$/.test(keyName(callee.property, callee.computed) ?? "") && outlives(callee, detail, around);
}

/** True if what is put there is there at the next call: a variable of the unit, a property of `this` or of what was handed in. */
function outlives(target: Node, { scopes }: UnitDetail, around: Surroundings): boolean {
  const root = rootOf(target);
  if (root.type === "ThisExpression") return true;
  if (root.type !== "Identifier") return false;
  const { name, start } = root;
  if (isOfApp(target)) return true;
  return isLocal(start, scopes) ? target.type === "MemberExpression" && !isRequestName(name) && !around.isFresh(name) : true;
}

function isLocal(start: number, { references }: UnitDetail["scopes"]): boolean {
  const ref = references[firstIndex(references, (ref) => ref.start >= start)];
  return ref?.start === start && ref.where === "local";
}

/** `Buffer.isBuffer(x)`, `path.isAbsolute(x)`: what the language and Node have keeps nothing of the app's. */
function isOfNode(target: Node, { scopes }: UnitDetail, around: Surroundings): boolean {
  const root = rootOf(target);
  return root.type === "Identifier" && !isLocal(root.start, scopes) && around.isOfNode(root.name);
}

/** `req.app.locals.table`, `request.server.table`: a request's way to what all requests share. */
function isOfApp(target: Node): boolean {
  for (let node = target; node.type === "MemberExpression"; node = node.object) if (node.object.type === "MemberExpression" && /^(app|server)$/.test(keyName(node.object.property, node.object.computed) ?? "")) return true;
  return false;
}

function isOwnOf(target: Node, around: Surroundings): boolean {
  const root = rootOf(target);
  return root.type === "ThisExpression" || (root !== target && root.type === "Identifier" && around.isOwn(root.name));
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

import { detailOf, type AppShape } from "./app.ts";
import { calleeName } from "./callees.ts";
import { isRequestName } from "./closures.ts";
import { privateMethodOf } from "./helpers.ts";
import { Lookup } from "./lookup.ts";
import type { Site } from "./sites.ts";
import { boundNames, containsOwn, forEachChild, isClass, isFunction, keyName, type ClassNode, type FunctionNode, type Node } from "./syntax.ts";

/**
 * Why a change of a function would leave the objects that it made, or helped to make, unlike those it makes from now
 * on; null if it gives nothing to `this`, or never when that is new.
 */
export function shapesInstances(apps: readonly AppShape[], unit: string, site: Site): string | null {
  const { fn, member, memberName } = site;
  if (fn.type === "ArrowFunctionExpression" || fn.async || fn.generator || !givesToThis(fn)) return null;
  if (member !== null) {
    if (member.static || memberName === null || !apps.some((app) => constructionOf(app).isSetUpBy(memberName, classOf(app, unit, site)))) return null;
    return "a constructor calls it, and live instances keep what the old one gave them";
  }
  if (site.form === "method") return null;
  const name = (fn.id?.name ?? memberName ?? site.name).replace(/^=/, "");
  const isOne = (/^[$_]*\p{Lu}/u.test(name) && !apps.some((app) => constructionOf(app).isPrivateMethod(fn, name))) || site.key === "module.exports" || site.key === "default" || apps.some((app) => constructionOf(app).isConstructor(fn, name));
  return isOne ? "a constructor function: live instances keep what the old one gave them" : null;
}

function classOf(app: AppShape, unit: string, site: Site): ClassNode | undefined {
  return detailOf(app, unit)?.facts.sites.classes.get(site.className!);
}

/** True if the function may assign to a property of `this`, or lets somebody else do it. */
function givesToThis(fn: FunctionNode): boolean {
  let reads = 0;
  let uses = 0;
  const assigns = containsOwn(fn.body, (node) => {
    if (node.type === "ThisExpression") uses++;
    // `this.x` that is read, or called.
    if (node.type === "MemberExpression" && node.object.type === "ThisExpression") reads++;
    const target = node.type === "AssignmentExpression" ? node.left : node.type === "UpdateExpression" || (node.type === "UnaryExpression" && node.operator === "delete") ? node.argument : null;
    return target !== null && givesTo(target);
  });
  return assigns || uses > reads;
}

function givesTo(target: Node): boolean {
  if (target.type === "MemberExpression") return target.object.type === "ThisExpression";
  return (target.type === "ObjectPattern" || target.type === "ArrayPattern") && containsOwn(target, givesTo);
}

interface Construction {
  /** True for what a compiler made of a private method, under the name of its class. */
  readonly isPrivateMethod: (fn: FunctionNode, name: string) => boolean;
  readonly isConstructor: (fn: FunctionNode, name: string) => boolean;
  /** True if a constructor that makes objects of that class may call their method of that name. */
  readonly isSetUpBy: (method: string, made: ClassNode | undefined) => boolean;
}

const known = new WeakMap<AppShape, Construction>();

/** What the app's code makes with `new`, or sets up in a constructor. Looked for when a changed function might be one of those. */
function constructionOf(app: AppShape): Construction {
  let found = known.get(app);
  if (found === undefined) known.set(app, (found = collect(app)));
  return found;
}

function collect(app: AppShape): Construction {
  const functions = new Set<FunctionNode>();
  const names = new Set<string>();
  const privateMethods = new Set<string>();
  const called = new Map<ClassNode, Set<string>>();
  const byAny = new Set<string>();
  const byDerived = new Set<string>();
  const calls = callsIn(app);
  for (const [unit, { detail }] of app.units) {
    if (detail === null) continue;
    const lookup = new Lookup(app, unit, detail);
    const construct = (node: Node | null | undefined): void => {
      if (node?.type !== "Identifier" && node?.type !== "MemberExpression") return;
      names.add(calleeName(node));
      const fn = lookup.functionOf(node);
      if (fn !== null) functions.add(fn);
    };
    const walk = (node: Node): void => {
      if (node.type === "NewExpression") construct(node.callee);
      else if (node.type === "MemberExpression" && keyName(node.property, node.computed) === "prototype") construct(node.object);
      else if (node.type === "BinaryExpression" && node.operator === "instanceof") construct(node.right);
      else if (node.type === "CallExpression") {
        const name = calleeName(node.callee);
        const method = privateMethodOf(node);
        if (method?.type === "Identifier") privateMethods.add(method.name);
        if (name === "inherits" || name === "construct") node.arguments.forEach(construct);
        else if (/^(call|apply)$/.test(name) && node.callee.type === "MemberExpression" && node.arguments[0]?.type === "ThisExpression") construct(node.callee.object);
      } else if (isClass(node)) {
        const own = callsOnThis(node, calls, (method) => construct(method));
        called.set(node, own);
        for (const one of own) {
          byAny.add(one);
          if (node.superClass) byDerived.add(one);
        }
      }
      forEachChild(node, walk);
    };
    walk(detail.program);
  }
  return {
    isPrivateMethod: (fn, name) => privateMethods.has(name) && !functions.has(fn),
    isConstructor: (fn, name) => functions.has(fn) || names.has(name),
    isSetUpBy: (method, made) => byDerived.has(method) || (made !== undefined && (called.get(made)?.has(method) === true || (Boolean(made.superClass) && byAny.has(method)))),
  };
}

/** `{ upgrade: (req, socket, head) => … }`, `createServer((req, res) => …)`: what a request calls, and no code of the app by that name. */
function isForRequests({ params }: FunctionNode, parent: Node, calls: ReadonlySet<string>): boolean {
  const [first] = params;
  if (params.length < 2 || first?.type !== "Identifier" || !isRequestName(first.name)) return false;
  if (parent.type === "Property") return !calls.has("?") && !calls.has(keyName(parent.key, parent.computed) ?? "?");
  return parent.type === "CallExpression" && calleeName(parent.callee) === "createServer" && !calls.has("emit");
}

/** `Object.values(handlers)` */
function isListing(node: Node): boolean {
  return node.type === "CallExpression" && /^(values|entries)$/.test(calleeName(node.callee)) && node.arguments.length > 0;
}

function isNumber(key: Node): boolean {
  return key.type === "UpdateExpression" || (key.type === "BinaryExpression" && key.operator !== "+") || (key.type === "Literal" && typeof key.value === "number");
}

/** `req.headers` holds texts. */
function isHeader(node: Node): boolean {
  return node.type === "MemberExpression" && keyName(node.property, node.computed) === "headers" && node.object.type === "Identifier" && isRequestName(node.object.name);
}

/** By which names properties are called, or read to be called otherwise, anywhere in the app; "?" if one that is called is computed. */
function callsIn(app: AppShape): ReadonlySet<string> {
  const names = new Set<string>();
  for (const [unit, { detail }] of app.units) {
    if (detail === null) continue;
    const lookup = new Lookup(app, unit, detail);
    const looked = new Set<Node>();
    const isCalled = (name: string): boolean => detail.scopes.byName.get(name)?.some(({ role }) => role === "call") === true;
    const isSymbol = (key: Node): boolean => {
      const value = key.type === "Identifier" ? detail.facts.declarations.get(key.name)?.value : null;
      return value?.type === "CallExpression" && calleeName(value.callee) === "Symbol";
    };
    const walk = (node: Node): void => {
      if ((node.type === "CallExpression" || node.type === "NewExpression") && node.callee.type === "MemberExpression") names.add(lookup.keyOf(node.callee));
      else if (node.type === "MemberExpression" && keyName(node.property, node.computed) !== null && !isHeader(node.object)) names.add(lookup.keyOf(node));
      // `for (const handle of Object.values(handlers)) handle()`
      if (node.type === "ForOfStatement" && node.left.type === "VariableDeclaration" && isListing(node.right) && !boundNames(node.left.declarations[0]!.id).some(isCalled)) looked.add(node.right);
      if (isListing(node) && !looked.has(node)) names.add("?");
      if (node.type === "VariableDeclarator" && node.init?.type === "MemberExpression" && node.init.computed && !isNumber(node.init.property) && !isSymbol(node.init.property) && boundNames(node.id).some(isCalled)) names.add("?");
      // Taken out of the object, it may be called by any name.
      if (node.type === "ObjectPattern") for (const property of node.properties) if (property.type === "Property") names.add(keyName(property.key, property.computed) ?? "?");
      forEachChild(node, walk);
    };
    walk(detail.program);
  }
  return names;
}

/** Methods that a class's constructor, or the initialiser of a field, calls on the new object. `made`: what a compiler made of a private one. */
function callsOnThis(node: ClassNode, calls: ReadonlySet<string>, made: (method: Node) => void): Set<string> {
  const names = new Set<string>();
  const walk = (at: Node): void => {
    const method = privateMethodOf(at);
    if (method !== null) made(method);
    if (at.type === "CallExpression" && at.callee.type === "MemberExpression" && (at.callee.object.type === "ThisExpression" || at.callee.object.type === "Super")) {
      const name = keyName(at.callee.property, at.callee.computed);
      if (name !== null) names.add(name);
    }
    forEachChild(at, (child) => {
      if (!isFunction(child) || (child.type === "ArrowFunctionExpression" && !isForRequests(child, at, calls))) walk(child);
    });
  };
  for (const member of node.body.body) {
    if (member.type === "MethodDefinition" && member.kind === "constructor") walk(member.value.body);
    else if (member.type === "PropertyDefinition" && !member.static && member.value && !isFunction(member.value)) walk(member.value);
  }
  return names;
}

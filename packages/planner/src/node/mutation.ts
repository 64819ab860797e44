import type { UnitDetail } from "./analyze.ts";
import { calleeName } from "./callees.ts";
import { boundNames, forEachChild, isFunction, keyName, type FunctionNode, type Node } from "./syntax.ts";

/** How an object is changed: a named property, a computed one, or by a method of lists or of maps and sets. */
export type MutationKind = "named" | "computed" | "list" | "map";

const listMethods = new Set(["push", "pop", "shift", "unshift", "splice", "sort", "reverse", "fill", "copyWithin"]);
const mapMethods = new Set(["set", "add", "delete", "clear"]);

/** True for methods by which lists, maps, dates, addresses and binary data change what they are called on. */
export function isMutator(name: string): boolean {
  return listMethods.has(name) || isMapMethod(name);
}

/** `setFullYear`, `setUint8`, `append`, `writeUInt8`, `getOrInsert`. */
function isMapMethod(name: string): boolean {
  return mapMethods.has(name) || /^(set[A-Z]|append$|write|swap\d|getOrInsert)/.test(name);
}

/** `Object.assign(x, …)` and its like change their first argument. */
const staticMethods = new Set(["assign", "defineProperty", "defineProperties", "setPrototypeOf", "set", "deleteProperty"]);

/** Functions that look at what they get, and neither change nor keep it. */
const readers = new Set(["keys", "values", "entries", "stringify", "isArray", "freeze", "isFrozen", "structuredClone", "log", "info", "warn", "error", "debug", "send", "json", "end", "write", "String", "Number", "Set", "Map", "from", "has", "includes", "get", "join", "indexOf", "max", "min", "round", "floor"]);

export function isReader(callee: string): boolean {
  return readers.has(callee);
}

export interface Mutation {
  readonly kind: MutationKind;
  /** The name at the root of what is changed; "?" for an expression. */
  readonly root: string;
  /** Of a named property. */
  readonly property: string | null;
}

/** What a unit's code may change of objects that it did not make on the spot. */
export interface Mutations {
  readonly all: readonly Mutation[];
  /** Which names a name's value may come from, or be taken out of. By name, whatever the scope. */
  readonly flows: ReadonlyMap<string, ReadonlySet<string>>;
  /** Names whose values, or parts of them, go to functions elsewhere or come back as results. */
  readonly handedOn: ReadonlySet<string>;
  /** Properties that object literals, classes and constructors of this unit give their objects. */
  readonly homes: ReadonlySet<string>;
}

const known = new WeakMap<UnitDetail, Mutations>();

/** Finds, over-approximating, everything that could change an object reachable from a table. */
export function findMutations(detail: UnitDetail): Mutations {
  let found = known.get(detail);
  if (found === undefined) known.set(detail, (found = new Collector().collect(detail.program)));
  return found;
}

/** The names that a change of `root` may reach, `root` included. */
export function reachedFrom({ flows }: Mutations, root: string): ReadonlySet<string> {
  const reached = new Set([root]);
  for (const name of reached) for (const from of flows.get(name) ?? []) reached.add(from);
  return reached;
}

class Collector {
  readonly #all: Mutation[] = [];
  readonly #flows = new Map<string, Set<string>>();
  readonly #homes = new Set<string>();
  readonly #handedOn = new Set<string>();
  readonly #functions = new Map<string, FunctionNode>();

  collect(program: Node): Mutations {
    this.#findFunctions(program);
    this.#walk(program, new Set());
    return { all: this.#all, flows: this.#flows, handedOn: this.#handedOn, homes: this.#homes };
  }

  #findFunctions(node: Node): void {
    if (node.type === "FunctionDeclaration" && node.id) this.#functions.set(node.id.name, node);
    else if (node.type === "VariableDeclarator" && node.id.type === "Identifier" && node.init && isFunction(node.init)) this.#functions.set(node.id.name, node.init);
    forEachChild(node, (child) => this.#findFunctions(child));
  }

  /** `fresh`: names of objects made in this function and held by a constant: a direct change of one reaches nothing else. */
  #walk(node: Node, fresh: ReadonlySet<string>): void {
    let inner = fresh;
    switch (node.type) {
      case "AssignmentExpression":
        this.#target(node.left, fresh);
        if (node.left.type !== "MemberExpression") this.#flow(node.left, node.right);
        break;
      case "VariableDeclarator":
        if (node.init) this.#flow(node.id, node.init);
        break;
      case "ForOfStatement":
      case "ForInStatement":
        if (node.left.type === "VariableDeclaration") this.#flow(node.left.declarations[0]!.id, node.right);
        else {
          this.#target(node.left, fresh);
          this.#flow(node.left, node.right);
        }
        break;
      case "UpdateExpression":
        this.#target(node.argument, fresh);
        break;
      case "UnaryExpression":
        if (node.operator === "delete") this.#target(node.argument, fresh);
        break;
      case "Property":
      case "PropertyDefinition": {
        const key = keyName(node.key, node.computed);
        if (key !== null) this.#homes.add(key);
        break;
      }
      case "CallExpression":
      case "NewExpression":
        this.#call(node, fresh);
        break;
      case "ReturnStatement":
      case "YieldExpression":
        if (node.argument) this.#handOn(node.argument);
        break;
      default:
        if (isFunction(node)) {
          inner = freshIn(node, fresh);
          if (node.body.type !== "BlockStatement") this.#handOn(node.body);
        }
    }
    forEachChild(node, (child) => this.#walk(child, inner));
  }

  #target(target: Node, fresh: ReadonlySet<string>): void {
    switch (target.type) {
      case "MemberExpression": {
        if (target.object.type === "Identifier" && fresh.has(target.object.name)) return;
        const property = keyName(target.property, target.computed);
        if (target.object.type === "ThisExpression") {
          // A method may run on any object that has it, but tables have no methods; their properties are named elsewhere.
          if (property !== null) this.#homes.add(property);
          return;
        }
        for (const root of rootsOf(target.object)) this.#all.push({ kind: property === null ? "computed" : "named", root, property });
        return;
      }
      case "ChainExpression":
        return this.#target(target.expression, fresh);
      case "AssignmentPattern":
        return this.#target(target.left, fresh);
      case "RestElement":
        return this.#target(target.argument, fresh);
      case "ObjectPattern":
        for (const property of target.properties) this.#target(property.type === "RestElement" ? property.argument : property.value, fresh);
        return;
      case "ArrayPattern":
        for (const element of target.elements) if (element !== null) this.#target(element, fresh);
        return;
      default:
        return;
    }
  }

  #call(node: Extract<Node, { type: "CallExpression" | "NewExpression" }>, fresh: ReadonlySet<string>): void {
    const { callee } = node;
    const name = calleeName(callee);
    const [first] = node.arguments;
    const change = (kind: MutationKind, target: Node): void => {
      if (target.type === "Identifier" && fresh.has(target.name)) return;
      for (const root of rootsOf(target)) if (root !== "this") this.#all.push({ kind, root, property: null });
    };
    if (callee.type === "MemberExpression") {
      if (callee.object.type === "Identifier" && (callee.object.name === "Object" || callee.object.name === "Reflect")) {
        if (first && staticMethods.has(name)) change("computed", first);
        const self = node.arguments[1];
        if (name === "apply" && self) for (const kind of ["list", "map", "computed"] as const) change(kind, self);
      } else {
        if (listMethods.has(name)) change("list", callee.object);
        if (isMapMethod(name)) change("map", callee.object);
      }
      if ((name === "call" || name === "apply" || name === "bind") && first) for (const kind of ["list", "map", "computed"] as const) change(kind, first);
      if (name === "?") for (const kind of ["list", "map"] as const) change(kind, callee.object);
      // What a callback gets are parts of what the method is called on.
      for (const argument of node.arguments) {
        if (isFunction(argument)) for (const param of argument.params) this.#flow(param, callee.object);
      }
    }
    const fn = callee.type === "Identifier" ? this.#functions.get(callee.name) : undefined;
    if (fn !== undefined) node.arguments.forEach((argument, i) => {
      const param = fn.params[i] ?? fn.params.at(-1);
      if (param) this.#flow(param, argument);
    });
    else if (!isReader(name)) for (const argument of node.arguments) this.#handOn(argument);
  }

  #handOn(node: Node): void {
    for (const name of namesIn(node)) this.#handedOn.add(name);
  }

  /** What `pattern` binds comes out of what `value` names. */
  #flow(pattern: Node, value: Node): void {
    const from = namesIn(value);
    if (from.size === 0) return;
    for (const name of boundNames(pattern)) {
      const all = this.#flows.get(name);
      if (all === undefined) this.#flows.set(name, new Set(from));
      else for (const one of from) all.add(one);
    }
  }
}

/** The locals of a function that hold an object made there, besides what its closures see of them. */
function freshIn(fn: FunctionNode, outer: ReadonlySet<string>): ReadonlySet<string> {
  const fresh = new Set(outer);
  for (const param of fn.params) for (const name of boundNames(param)) fresh.delete(name);
  const walk = (node: Node): void => {
    if (node.type === "VariableDeclaration") {
      for (const { id, init } of node.declarations) {
        for (const name of boundNames(id)) fresh.delete(name);
        if (node.kind === "const" && id.type === "Identifier" && init && isFresh(init)) fresh.add(id.name);
      }
    }
    forEachChild(node, (child) => {
      if (!isFunction(child)) walk(child);
    });
  };
  walk(fn.body);
  return fresh;
}

function isFresh(node: Node): boolean {
  if (node.type === "NewExpression") return node.callee.type === "Identifier" && node.callee.name !== "Proxy";
  return node.type === "ObjectExpression" || node.type === "ArrayExpression";
}

/** The names whose objects an expression may give. */
function rootsOf(node: Node): string[] {
  switch (node.type) {
    case "Identifier":
      return [node.name];
    case "ThisExpression":
      return ["this"];
    case "MemberExpression":
      return rootsOf(node.object);
    case "ChainExpression":
      return rootsOf(node.expression);
    default: {
      const names = namesIn(node);
      return names.size === 0 ? ["?"] : [...names];
    }
  }
}

/** All names in an expression, but for those in functions. */
function namesIn(node: Node): Set<string> {
  const names = new Set<string>();
  const walk = (at: Node): void => {
    if (isFunction(at)) return;
    if (at.type === "Identifier") names.add(at.name);
    else if (at.type === "MemberExpression") {
      walk(at.object);
      if (at.computed) walk(at.property);
    } else if (at.type === "Property") walk(at.value);
    else forEachChild(at, walk);
  };
  walk(node);
  return names;
}

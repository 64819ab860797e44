import type { UnitDetail } from "./analyze.ts";
import { boundNames, forEachChild, isFunction, keyName, type FunctionNode, type Node } from "./syntax.ts";

type Call = Extract<Node, { type: "CallExpression" }>;

/** A function that becomes a property by `Object.defineProperty`: nobody calls it there, and who reads that property does. */
export interface Defined {
  readonly fn: FunctionNode;
  readonly role: "get" | "set" | "value";
  /** True if a property of that name may be this one; "?" is any. */
  matches(key: string): boolean;
}

export interface Definitions {
  readonly all: readonly Defined[];
  /** Functions that go nowhere but into a descriptor. */
  readonly functions: ReadonlySet<Node>;
  /** Names in descriptors that stand for nothing but such functions. */
  readonly names: ReadonlySet<Node>;
}

const known = new WeakMap<UnitDetail, Definitions>();

export function definitionsOf(detail: UnitDetail): Definitions {
  let found = known.get(detail);
  if (found === undefined) known.set(detail, (found = new Collector(detail).collect()));
  return found;
}

/** `Object.defineProperty(…)`, where `Object` is the language's own. */
export function isDefining(call: Node, { facts, scopes }: UnitDetail): call is Call {
  if (call.type !== "CallExpression" || call.callee.type !== "MemberExpression" || call.callee.object.type !== "Identifier") return false;
  const { name } = call.callee.object;
  if (name !== "Object" && name !== "Reflect") return false;
  if (facts.imports.has(name) || scopes.byName.get(name)?.some((ref) => ref.where !== "global") === true) return false;
  return /^definePropert(y|ies)$/.test(keyName(call.callee.property, call.callee.computed) ?? "");
}

/** The descriptors of such a call that are written out, each with the node of its key or its static name. */
export function descriptorsOf(call: Call): readonly { readonly key: Node | string; readonly descriptor: Node }[] {
  const [, second, third] = call.arguments;
  if (call.callee.type === "MemberExpression" && keyName(call.callee.property, false) === "defineProperty") return second && third ? [{ key: second, descriptor: third }] : [];
  if (second?.type !== "ObjectExpression") return [];
  return second.properties.flatMap((property) => {
    if (property.type !== "Property") return [];
    return [{ key: keyName(property.key, property.computed) ?? property.key, descriptor: property.value }];
  });
}

interface Part {
  readonly node: Node;
  readonly use: "none" | "keep" | "contain" | "drop" | "hand";
}

/** What becomes of the parts of such a call: a property is made, and nothing is called; whoever reads it runs its getter. */
export function partsOf(call: Call, { functions, names }: Definitions): readonly Part[] {
  const parts: Part[] = [];
  const put = (node: Node, use: Part["use"]): void => void parts.push({ node, use });
  const written = new Set(descriptorsOf(call).map(({ descriptor }) => descriptor));
  const describe = (node: Node): void => {
    if (!written.has(node) || node.type !== "ObjectExpression") return put(node, "hand");
    for (const property of node.properties) {
      if (property.type !== "Property") put(property, "hand");
      else if (functions.has(property.value) || names.has(property.value)) put(property.value, "drop");
      else put(property.value, keyName(property.key, property.computed) === "value" ? "contain" : "hand");
    }
  };
  const [target, second, third] = call.arguments;
  if (target !== undefined) put(target, "keep");
  if (third !== undefined) {
    if (second !== undefined) put(second, "none");
    describe(third);
  } else if (second?.type === "ObjectExpression") {
    for (const property of second.properties) {
      if (property.type !== "Property") put(property, "hand");
      else {
        if (property.computed) put(property.key, "none");
        describe(property.value);
      }
    }
  } else if (second !== undefined) put(second, "hand");
  for (const more of call.arguments.slice(3)) put(more, "none");
  return parts;
}

interface Around {
  readonly fn: FunctionNode;
  /** The names that its first parameter takes: it is called with each element of a list of strings. */
  readonly elements: readonly string[] | null;
}

class Collector {
  readonly #detail: UnitDetail;
  readonly #all: Defined[] = [];
  readonly #functions = new Set<Node>();
  readonly #names = new Set<Node>();

  constructor(detail: UnitDetail) {
    this.#detail = detail;
  }

  collect(): Definitions {
    this.#walk(this.#detail.program, []);
    return { all: this.#all, functions: this.#functions, names: this.#names };
  }

  #walk(node: Node, around: readonly Around[]): void {
    if (isDefining(node, this.#detail)) for (const { key, descriptor } of descriptorsOf(node)) this.#descriptor(key, descriptor, around);
    forEachChild(node, (child) => this.#walk(child, isFunction(child) ? [...around, { fn: child, elements: this.#elementsOf(node, child) }] : around));
  }

  /** `["a", "b"].forEach(fn)`, also by a name of the list that is used for nothing else. */
  #elementsOf(call: Node, fn: Node): readonly string[] | null {
    if (call.type !== "CallExpression" || call.arguments[0] !== fn || call.callee.type !== "MemberExpression") return null;
    if (!/^(forEach|map)$/.test(keyName(call.callee.property, call.callee.computed) ?? "")) return null;
    let list: Node | null | undefined = call.callee.object;
    if (list.type === "Identifier") {
      const { name } = list;
      const isOnlyGoneThrough = this.#detail.scopes.byName.get(name)?.every((ref) => ref.where === "module" && !ref.isWrite && ref.parent.type === "MemberExpression" && /^(forEach|map|includes|indexOf|length)$/.test(keyName(ref.parent.property, ref.parent.computed) ?? ""));
      list = isOnlyGoneThrough === true ? this.#detail.facts.declarations.get(name)?.value : null;
    }
    if (list?.type !== "ArrayExpression") return null;
    const names = list.elements.map((element) => (element?.type === "Literal" && typeof element.value === "string" ? element.value : null));
    return names.every((name) => name !== null) ? names : null;
  }

  #descriptor(key: Node | string, descriptor: Node, around: readonly Around[]): void {
    if (descriptor.type !== "ObjectExpression") return;
    for (const property of descriptor.properties) {
      const role = property.type === "Property" && property.kind === "init" ? keyName(property.key, property.computed) : null;
      if (property.type !== "Property" || (role !== "get" && role !== "set" && role !== "value")) continue;
      if (isFunction(property.value)) this.#add(property.value, role, this.#keyIn(key, around));
      else if (property.value.type === "Identifier" && role !== "value") this.#given(property.value, role, key, around.at(-1)?.fn);
    }
  }

  #add(fn: FunctionNode, role: Defined["role"], matches: (key: string) => boolean): void {
    this.#all.push({ fn, role, matches: (key) => key === "?" || (key !== "\0" && matches(key)) });
    this.#functions.add(fn);
  }

  /** `function defineGetter(target, name, get) { Object.defineProperty(target, name, { get }) }`: what its calls hand in. */
  #given(value: Extract<Node, { type: "Identifier" }>, role: Defined["role"], key: Node | string, fn: FunctionNode | undefined): void {
    if (fn?.type !== "FunctionDeclaration" || !fn.id) return;
    const { facts, scopes } = this.#detail;
    const indexOf = (name: string): number => fn.params.findIndex((param) => param.type === "Identifier" && param.name === name);
    const index = indexOf(value.name);
    if (index === -1 || facts.declarations.get(fn.id.name)?.value !== fn || countOf(fn.body, value.name) !== 1) return;
    const calls: Call[] = [];
    for (const ref of scopes.byName.get(fn.id.name) ?? []) {
      if (ref.where !== "module" || ref.role !== "call" || ref.parent.type !== "CallExpression") return;
      calls.push(ref.parent);
    }
    const isSeen = (argument: Node | undefined): boolean => argument !== undefined && (isFunction(argument) || this.#isForeign(argument));
    if (calls.some((call) => !isSeen(call.arguments[index]) || call.arguments.some((argument) => argument.type === "SpreadElement"))) return;
    const nameIndex = typeof key === "string" || key.type !== "Identifier" ? -1 : indexOf(key.name);
    const isSameName = nameIndex === -1 || !isAssigned(fn.body, (key as Extract<Node, { type: "Identifier" }>).name);
    for (const call of calls) {
      const given = call.arguments[index]!;
      // What a package wraps is called by what it makes of it.
      const inside: readonly Node[] = given.type === "CallExpression" ? given.arguments : [given];
      for (const one of inside) if (isFunction(one)) this.#add(one, role, nameIndex === -1 ? this.#keyIn(key, []) : isSameName ? this.#keyIn(call.arguments[nameIndex] ?? key, []) : () => true);
    }
    this.#names.add(value);
  }

  /** `deprecate.function(get, "…")`: what a package makes of a function calls that one only, which was taken to be called when it was given. */
  #isForeign(node: Node): boolean {
    if (node.type !== "CallExpression") return false;
    let root: Node = node.callee;
    while (root.type === "MemberExpression") root = root.object;
    let value: Node | null | undefined = root.type === "Identifier" ? this.#detail.facts.declarations.get(root.name)?.value : null;
    while (value?.type === "CallExpression" || value?.type === "MemberExpression") {
      if (value.type === "CallExpression" && value.callee.type === "Identifier" && value.callee.name === "require") {
        const [specifier] = value.arguments;
        return specifier?.type === "Literal" && !String(specifier.value).startsWith(".");
      }
      value = value.type === "CallExpression" ? value.callee : value.object;
    }
    return false;
  }

  #keyIn(key: Node | string, around: readonly Around[]): (key: string) => boolean {
    if (typeof key === "string") return (name) => name === key;
    const strings = stringsOf(key, around);
    if (strings !== null) return (name) => strings.includes(name);
    if (key.type === "TemplateLiteral") {
      const [start, end] = [key.quasis[0]!.value.cooked ?? "", key.quasis.at(-1)!.value.cooked ?? ""];
      return (name) => name.startsWith(start) && name.endsWith(end);
    }
    return () => true;
  }
}

/** Every string that an expression may give; null if that cannot be told. */
function stringsOf(node: Node, around: readonly Around[]): readonly string[] | null {
  switch (node.type) {
    case "Literal":
      return [String(node.value)];
    case "Identifier":
      return elementsNamed(node.name, around);
    case "BinaryExpression":
      return node.operator === "+" ? joined([node.left, node.right], around) : null;
    case "TemplateLiteral":
      return joined(node.quasis.flatMap((quasi, i) => [quasi.value.cooked ?? "", ...(node.expressions[i] === undefined ? [] : [node.expressions[i]])]), around);
    default:
      return null;
  }
}

function joined(parts: readonly (Node | string)[], around: readonly Around[]): readonly string[] | null {
  let all: readonly string[] | null = [""];
  for (const part of parts) {
    const next: readonly string[] | null = typeof part === "string" ? [part] : stringsOf(part, around);
    all = all === null || next === null ? null : all.flatMap((start) => next.map((end) => start + end));
  }
  return all;
}

/** What a name may be that is the first parameter of a function called with each element of a list of strings. */
function elementsNamed(name: string, around: readonly Around[]): readonly string[] | null {
  const owner = around.findLast(({ fn }) => fn.params.some((param) => boundNames(param).includes(name)));
  const [first] = owner?.fn.params ?? [];
  if (owner === undefined || first?.type !== "Identifier" || first.name !== name || isAssigned(owner.fn.body, name)) return null;
  return owner.elements;
}

function countOf(body: Node, name: string): number {
  let count = 0;
  const walk = (node: Node): void => {
    if (node.type === "Identifier" && node.name === name) count += 1;
    // `{ get: get }`: the key is no use of it.
    if (node.type === "Property" && !node.computed) return walk(node.value);
    if (node.type === "MemberExpression" && !node.computed) return walk(node.object);
    if (node.type === "Identifier" && node.name === "arguments") count += 2;
    forEachChild(node, walk);
  };
  walk(body);
  return count;
}

function isAssigned(body: Node, name: string): boolean {
  let found = false;
  const walk = (node: Node): void => {
    if (node.type === "AssignmentExpression" && boundNames(node.left).includes(name)) found = true;
    // Another variable of that name.
    else if (node.type === "VariableDeclarator" && boundNames(node.id).includes(name)) found = true;
    else if (node.type === "UpdateExpression" && node.argument.type === "Identifier" && node.argument.name === name) found = true;
    else if (isFunction(node) && node.params.some((param) => boundNames(param).includes(name))) return;
    if (!found) forEachChild(node, walk);
  };
  walk(body);
  return found;
}

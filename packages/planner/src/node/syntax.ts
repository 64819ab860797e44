import type { AnyNode, Program } from "acorn";

/** Any ESTree node (ECMA-262 as acorn parses it), with `start` and `end` in UTF-16 code units. */
export type Node = AnyNode;
export type FunctionNode = Extract<Node, { type: "FunctionDeclaration" | "FunctionExpression" | "ArrowFunctionExpression" }>;
export type ClassNode = Extract<Node, { type: "ClassDeclaration" | "ClassExpression" }>;
/** What stands directly at a unit's top level. */
export type Statement = Program["body"][number];
export type Format = "esm" | "cjs";

export function isFunction(node: Node): node is FunctionNode {
  return node.type === "FunctionDeclaration" || node.type === "FunctionExpression" || node.type === "ArrowFunctionExpression";
}

export function isClass(node: Node): node is ClassNode {
  return node.type === "ClassDeclaration" || node.type === "ClassExpression";
}

/** Keys that hold child nodes, in source order, per type of node (ESTree; what acorn makes of ECMA-262). */
const childKeys: Readonly<Record<string, readonly string[]>> = {
  Identifier: [], PrivateIdentifier: [], Literal: [], TemplateElement: [], ThisExpression: [], Super: [], MetaProperty: [], EmptyStatement: [], DebuggerStatement: [],
  ArrayExpression: ["elements"], ArrayPattern: ["elements"], ArrowFunctionExpression: ["params", "body"], AssignmentExpression: ["left", "right"],
  AssignmentPattern: ["left", "right"], AwaitExpression: ["argument"], BinaryExpression: ["left", "right"], BlockStatement: ["body"], BreakStatement: [],
  CallExpression: ["callee", "arguments"], CatchClause: ["param", "body"], ChainExpression: ["expression"], ClassBody: ["body"],
  ClassDeclaration: ["id", "superClass", "body"], ClassExpression: ["id", "superClass", "body"], ConditionalExpression: ["test", "consequent", "alternate"],
  ContinueStatement: [], DoWhileStatement: ["body", "test"], ExportAllDeclaration: ["exported", "source"], ExportDefaultDeclaration: ["declaration"],
  ExportNamedDeclaration: ["declaration", "specifiers", "source"], ExportSpecifier: ["local", "exported"], ExpressionStatement: ["expression"],
  ForInStatement: ["left", "right", "body"], ForOfStatement: ["left", "right", "body"], ForStatement: ["init", "test", "update", "body"],
  FunctionDeclaration: ["id", "params", "body"], FunctionExpression: ["id", "params", "body"], IfStatement: ["test", "consequent", "alternate"],
  ImportDeclaration: ["specifiers", "source"], ImportDefaultSpecifier: ["local"], ImportNamespaceSpecifier: ["local"], ImportSpecifier: ["imported", "local"],
  ImportExpression: ["source", "options"], LabeledStatement: ["body"], LogicalExpression: ["left", "right"], MemberExpression: ["object", "property"],
  MethodDefinition: ["key", "value"], NewExpression: ["callee", "arguments"], ObjectExpression: ["properties"], ObjectPattern: ["properties"],
  ParenthesizedExpression: ["expression"], Program: ["body"], Property: ["key", "value"], PropertyDefinition: ["key", "value"], RestElement: ["argument"],
  ReturnStatement: ["argument"], SequenceExpression: ["expressions"], SpreadElement: ["argument"], StaticBlock: ["body"], SwitchCase: ["test", "consequent"],
  SwitchStatement: ["discriminant", "cases"], TaggedTemplateExpression: ["tag", "quasi"], TemplateLiteral: ["expressions", "quasis"], ThrowStatement: ["argument"],
  TryStatement: ["block", "handler", "finalizer"], UnaryExpression: ["argument"], UpdateExpression: ["argument"], VariableDeclaration: ["declarations"],
  VariableDeclarator: ["id", "init"], WhileStatement: ["test", "body"], WithStatement: ["object", "body"], YieldExpression: ["argument"],
};

/** All that holds nodes, also those that are no code of their own, such as labels. */
const partKeys: Readonly<Record<string, readonly string[]>> = {
  ...childKeys, MetaProperty: ["meta", "property"], BreakStatement: ["label"], ContinueStatement: ["label"], LabeledStatement: ["label", "body"],
};

/** Calls `visit` with each child node. A type that the table lacks is an error of ours, so it is one loudly. */
export function forEachChild(node: Node, visit: (child: Node) => void): void {
  const keys = childKeys[node.type];
  if (keys === undefined) throw new TypeError(`a node of type ${node.type} is not known`);
  for (let i = 0; i < keys.length; i++) {
    const value = (node as unknown as Record<string, unknown>)[keys[i]!];
    if (value === null || value === undefined) continue;
    if (Array.isArray(value)) {
      for (let j = 0; j < value.length; j++) if (value[j] !== null) visit(value[j] as Node);
    } else visit(value as Node);
  }
}

/** A copy of a node and all below, for another place in a text. `take`: gets each copy, inner before outer, as a parser would give them. */
export function copyNode<T extends Node>(node: T, by: number, take: (copy: Node) => void): T {
  const keys = partKeys[node.type];
  if (keys === undefined) throw new TypeError(`a node of type ${node.type} is not known`);
  const copy = { ...node };
  copy.start = node.start + by;
  copy.end = node.end + by;
  const parts = copy as unknown as Record<string, Node | (Node | null)[] | null | undefined>;
  for (let i = 0; i < keys.length; i++) {
    const value = parts[keys[i]!];
    if (value === null || value === undefined) continue;
    parts[keys[i]!] = Array.isArray(value) ? copyList(value, by, take) : copyNode(value, by, take);
  }
  take(copy);
  return copy;
}

function copyList(nodes: readonly (Node | null)[], by: number, take: (copy: Node) => void): (Node | null)[] {
  const copies: (Node | null)[] = [];
  for (let i = 0; i < nodes.length; i++) copies.push(nodes[i] === null ? null : copyNode(nodes[i]!, by, take));
  return copies;
}

const nothing: readonly never[] = Object.freeze([]);

/** A list that is kept, without the room that it grew into. */
export function compact<T>(list: readonly T[]): readonly T[] {
  return list.length === 0 ? nothing : list.slice();
}

/** The names that a pattern binds. */
export function boundNames(pattern: Node | null | undefined, out: string[] = []): string[] {
  switch (pattern?.type) {
    case "Identifier":
      out.push(pattern.name);
      break;
    case "ObjectPattern":
      for (const property of pattern.properties) boundNames(property.type === "RestElement" ? property.argument : property.value, out);
      break;
    case "ArrayPattern":
      for (const element of pattern.elements) boundNames(element, out);
      break;
    case "AssignmentPattern":
      boundNames(pattern.left, out);
      break;
    case "RestElement":
      boundNames(pattern.argument, out);
      break;
    default:
      break;
  }
  return out;
}

/** The static name of a member's key; null if it is computed. */
export function keyName(key: Node, computed: boolean): string | null {
  if (computed) return null;
  switch (key.type) {
    case "Identifier":
      return key.name;
    case "PrivateIdentifier":
      return `#${key.name}`;
    case "Literal":
      return String(key.value);
    default:
      return null;
  }
}

/** True if something in `node`, but for other functions' own code, satisfies `test`. Arrows are looked into. */
export function containsOwn(node: Node, test: (node: Node) => boolean): boolean {
  let found = false;
  const walk = (at: Node): void => {
    if (found) return;
    if (test(at)) {
      found = true;
      return;
    }
    forEachChild(at, (child) => {
      if (isFunction(child) && child.type !== "ArrowFunctionExpression") return;
      if (!isClass(child)) return walk(child);
      // Of a class, only its heritage and its computed keys run here.
      if (child.superClass) walk(child.superClass);
      for (const member of child.body.body) if (member.type !== "StaticBlock" && member.computed) walk(member.key);
    });
  };
  forEachChild(node, walk);
  return found;
}

/** What an expression gives in the end: `a = b`, `(a, b)`, `await b`. */
export function givenBy(node: Node): Node {
  switch (node.type) {
    case "AssignmentExpression":
      return node.operator === "=" ? givenBy(node.right) : node;
    case "SequenceExpression":
      return givenBy(node.expressions.at(-1)!);
    case "AwaitExpression":
      return givenBy(node.argument);
    case "ChainExpression":
      return givenBy(node.expression);
    default:
      return node;
  }
}

/** Tells the line (from 1) of positions in a source. */
export class Lines {
  readonly #source: string;
  #starts: number[] | null = null;

  constructor(source: string) {
    this.#source = source;
  }

  get count(): number {
    return this.#all().length;
  }

  of(position: number): number {
    return firstIndex(this.#all(), (start) => start > position);
  }

  #all(): number[] {
    if (this.#starts !== null) return this.#starts;
    const starts = [0];
    for (let at = this.#source.indexOf("\n"); at !== -1; at = this.#source.indexOf("\n", at + 1)) starts.push(at + 1);
    return (this.#starts = starts);
  }
}

/** Index of the first element for which `test` holds, in a list where it holds for all after the first; its length if there is none. */
export function firstIndex<T>(list: readonly T[], test: (item: T) => boolean): number {
  let low = 0;
  let high = list.length;
  while (low < high) {
    const middle = (low + high) >> 1;
    if (test(list[middle]!)) high = middle;
    else low = middle + 1;
  }
  return low;
}

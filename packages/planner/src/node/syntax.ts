import { parse as acornParse, type AnyNode, type Comment, type Program } from "acorn";

/** Any ESTree node (ECMA-262 as acorn parses it), with `start` and `end` in UTF-16 code units. */
export type Node = AnyNode;
export type FunctionNode = Extract<Node, { type: "FunctionDeclaration" | "FunctionExpression" | "ArrowFunctionExpression" }>;
export type ClassNode = Extract<Node, { type: "ClassDeclaration" | "ClassExpression" }>;
export type Format = "esm" | "cjs";

export interface Syntax {
  readonly program: Program;
  readonly comments: readonly Comment[];
}

export type ParseResult =
  | { readonly kind: "parsed"; readonly syntax: Syntax }
  | { readonly kind: "error"; readonly message: string; readonly line: number; readonly column: number };

/** Parses a unit's JavaScript. A syntax error is an answer, not an exception. */
export function parse(source: string, format: Format): ParseResult {
  const comments: Comment[] = [];
  try {
    const program = acornParse(source, {
      ecmaVersion: "latest",
      sourceType: format === "esm" ? "module" : "commonjs",
      allowHashBang: true,
      onComment: comments,
    });
    return { kind: "parsed", syntax: { program, comments } };
  } catch (error) {
    if (!(error instanceof SyntaxError)) throw error;
    const { loc } = error as SyntaxError & { loc?: { line: number; column: number } };
    return { kind: "error", message: error.message.replace(/ \(\d+:\d+\)$/, ""), line: loc?.line ?? 1, column: (loc?.column ?? 0) + 1 };
  }
}

export function isFunction(node: Node): node is FunctionNode {
  return node.type === "FunctionDeclaration" || node.type === "FunctionExpression" || node.type === "ArrowFunctionExpression";
}

export function isClass(node: Node): node is ClassNode {
  return node.type === "ClassDeclaration" || node.type === "ClassExpression";
}

/** The child nodes of a node, in source order (but for patterns' defaults, which acorn orders too). */
export function* children(node: Node): Generator<Node> {
  const record = node as unknown as Record<string, unknown>;
  for (const key in record) {
    if (key === "type" || key === "start" || key === "end") continue;
    const value = record[key];
    if (typeof value !== "object" || value === null) continue;
    if (Array.isArray(value)) {
      for (const item of value) if (isNode(item)) yield item;
    } else if (isNode(value)) yield value;
  }
}

/** As `children`, without a generator: the planner walks every node of every changed unit. */
export function forEachChild(node: Node, visit: (child: Node) => void): void {
  const record = node as unknown as Record<string, unknown>;
  for (const key in record) {
    const value = record[key];
    if (typeof value !== "object" || value === null) continue;
    if (Array.isArray(value)) {
      for (const item of value) if (isNode(item)) visit(item);
    } else if (isNode(value)) visit(value);
  }
}

function isNode(value: unknown): value is Node {
  return typeof value === "object" && value !== null && typeof (value as { type?: unknown }).type === "string";
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

/** True if `node` or what is in it, but for other functions' own code, satisfies `test`. Arrows are looked into. */
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
      if (isClass(child)) return;
      walk(child);
    });
  };
  forEachChild(node, walk);
  return found;
}

/** Line (from 1) of a position. */
export function lineOf(source: string, position: number): number {
  let line = 1;
  for (let at = source.indexOf("\n"); at !== -1 && at < position; at = source.indexOf("\n", at + 1)) line++;
  return line;
}

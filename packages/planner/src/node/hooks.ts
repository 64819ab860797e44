import { referencesIn, type Scopes } from "./scope.ts";
import { boundNames, forEachChild, isClass, isFunction, keyName, type Format, type FunctionNode, type Lines, type Node } from "./syntax.ts";
import type { Program } from "acorn";

/** What every process with an agent has loaded: importing from it has no effect. */
export const agentPackage = "@midflight/agent";

/** The hooks that a unit declares at its top level, in one of the forms of spec/reload.md. */
export interface Hooks {
  /** The function that `dispose` was given; null if it declares none. */
  readonly dispose: FunctionNode | null;
  /** The statements that do nothing but declare hooks. */
  readonly statements: ReadonlySet<Node>;
  readonly line: number;
  /** Why they carry nothing, in words for a verdict; null if they do. */
  readonly problem: string | null;
}

type Call = Extract<Node, { type: "CallExpression" }>;

interface Declared {
  readonly name: string;
  readonly call: Call;
}

/** Reads a unit's hooks; null if it declares none. */
export function readHooks(program: Program, format: Format, scopes: Scopes, lines: Lines): Hooks | null {
  const statements = new Set<Node>();
  const declared: Declared[] = [];
  for (const statement of program.body) {
    const found = hooksIn(statement, format);
    if (found === null) continue;
    statements.add(statement);
    declared.push(...found);
  }
  const accepts = declared.filter(({ name }) => name === "accept");
  const disposes = declared.filter(({ name }) => name === "dispose");
  const first = accepts[0] ?? disposes[0];
  if (first === undefined) return null;
  const functions = functionsOf(program);
  const dispose = disposes.length === 1 ? functionArgument(disposes[0]!.call, functions) : null;
  const problem = problemOf(declared, accepts, disposes, dispose, functions, program, format, scopes);
  return { dispose, statements, line: lines.of(first.call.start), problem };
}

function problemOf(
  declared: readonly Declared[], accepts: readonly Declared[], disposes: readonly Declared[], dispose: FunctionNode | null, functions: ReadonlyMap<string, FunctionNode>, program: Program, format: Format, scopes: Scopes,
): string | null {
  if (declared.some(({ name }) => name === "decline")) return "it declines to be reloaded";
  if (accepts.length === 0) return "it declares dispose() and does not accept() itself";
  if (accepts.length > 1) return "it declares accept() more than once";
  const [taken] = accepts[0]!.call.arguments;
  if (taken !== undefined) {
    const callback = functionArgument(accepts[0]!.call, functions);
    if (callback === null) return "its accept() takes a dependency: here each module speaks for itself";
    if (callback.params.length > 0) return "its accept() waits for a new module: here the module stays, and its exports with it";
    if (callback.async || callback.generator) return "its accept() is given an async function: hooks run in one step";
  }
  if (disposes.length === 0) return "it accepts itself and declares no dispose(): what it set up would go on, and what it holds would be lost";
  if (disposes.length > 1) return "it declares dispose() more than once: if the second threw, the first could not be undone";
  if (dispose === null) return "its dispose() is not given a function of this module";
  if (dispose.async || dispose.generator) return "its dispose() is given an async function: hooks run in one step";
  if (format === "esm" && waits(program)) return "it waits at the top level: it cannot run again in one step";
  const loose = program.body.find((statement) => hidesVariables(statement));
  if (loose !== undefined) return "a statement at its top level declares a variable with var";
  const constants = new Set(program.body.flatMap((statement) => declarationOf(statement)?.kind === "const" ? declarationOf(statement)!.declarations.flatMap(({ id }) => boundNames(id)) : []));
  for (const name of constants) if (scopes.byName.get(name)?.some((ref) => ref.where === "module" && ref.isWrite) === true) return `it assigns ${name}, which is a constant`;
  return null;
}

/** All hooks that a statement declares; null if it is another statement. */
function hooksIn(statement: Node, format: Format): Declared[] | null {
  if (statement.type === "ExpressionStatement") {
    const declared = hookCall(statement.expression, format);
    return declared === null ? null : [declared];
  }
  if (statement.type !== "IfStatement" || !isHot(statement.test, format) || statement.alternate) return null;
  const body = statement.consequent.type === "BlockStatement" ? statement.consequent.body : [statement.consequent];
  const all: Declared[] = [];
  for (const inner of body) {
    const found = hooksIn(inner, format);
    if (found === null) return null;
    all.push(...found);
  }
  return all;
}

/** `import.meta.hot.accept(…)`, with or without `?.`; in CommonJS `module.hot.accept(…)`. */
function hookCall(expression: Node, format: Format): Declared | null {
  const call = expression.type === "ChainExpression" ? expression.expression : expression;
  if (call.type !== "CallExpression" || call.callee.type !== "MemberExpression" || call.callee.computed) return null;
  const { object, property } = call.callee;
  return isHot(object, format) && property.type === "Identifier" ? { name: property.name, call } : null;
}

function isHot(node: Node, format: Format): boolean {
  if (node.type !== "MemberExpression" || node.computed || node.property.type !== "Identifier" || node.property.name !== "hot") return false;
  return format === "esm" ? node.object.type === "MetaProperty" && node.object.meta.name === "import" : node.object.type === "Identifier" && node.object.name === "module";
}

/** `import.meta.hot?.data`, `… ?? {}`: what is kept there lives on by itself. */
export function isCarried(node: Node, format: Format): boolean {
  if (node.type === "LogicalExpression") return isCarried(node.left, format);
  if (node.type === "ChainExpression") return isCarried(node.expression, format);
  return node.type === "MemberExpression" && !node.computed && node.property.type === "Identifier" && node.property.name === "data" && isHot(node.object, format);
}

function functionArgument({ arguments: [argument] }: Call, functions: ReadonlyMap<string, FunctionNode>): FunctionNode | null {
  if (argument === undefined) return null;
  if (isFunction(argument)) return argument;
  return argument.type === "Identifier" ? (functions.get(argument.name) ?? null) : null;
}

type Variables = Extract<Node, { type: "VariableDeclaration" }>;

/** The variables that a statement of the top level declares. */
export function declarationOf(statement: Node): Variables | null {
  const node = statement.type === "ExportNamedDeclaration" && statement.declaration ? statement.declaration : statement;
  return node.type === "VariableDeclaration" ? node : null;
}

function functionsOf(program: Program): ReadonlyMap<string, FunctionNode> {
  const out = new Map<string, FunctionNode>();
  for (const statement of program.body) {
    const node = (statement.type === "ExportNamedDeclaration" || statement.type === "ExportDefaultDeclaration") && statement.declaration ? statement.declaration : statement;
    if (node.type === "FunctionDeclaration" && node.id) out.set(node.id.name, node);
    else if (node.type === "VariableDeclaration") {
      for (const { id, init } of node.declarations) if (id.type === "Identifier" && init && isFunction(init)) out.set(id.name, init);
    }
  }
  return out;
}

/** The names that a function mentions, and those that functions of the module it mentions do. */
export function namesMentioned(fn: FunctionNode, program: Program, scopes: Scopes): ReadonlySet<string> {
  const functions = functionsOf(program);
  const names = new Set<string>();
  const open: Node[] = [fn];
  for (let at = open.pop(); at !== undefined; at = open.pop()) {
    for (const ref of referencesIn(scopes.references, at.start, at.end)) {
      if (ref.where !== "module" || names.has(ref.name)) continue;
      names.add(ref.name);
      const next = functions.get(ref.name);
      if (next !== undefined) open.push(next);
    }
  }
  return names;
}

/** Properties that `dispose` puts into the data: those are an object of their own. */
export function carriedNames(hooks: Hooks | null): readonly string[] {
  const [param] = hooks?.dispose?.params ?? [];
  if (!hooks?.dispose || param?.type !== "Identifier") return [];
  const names: string[] = [];
  anyOutside(hooks.dispose.body, (node) => {
    if (node.type === "AssignmentExpression" && node.left.type === "MemberExpression" && node.left.object.type === "Identifier" && node.left.object.name === param.name) {
      const name = keyName(node.left.property, node.left.computed);
      if (name !== null) names.push(name);
    }
    return false;
  });
  return names;
}

/** True if `test` holds for the node or for one in it, but for those of functions and classes. */
function anyOutside(node: Node, test: (node: Node) => boolean): boolean {
  if (test(node)) return true;
  if (isFunction(node) || isClass(node)) return false;
  let found = false;
  forEachChild(node, (child) => {
    found ||= anyOutside(child, test);
  });
  return found;
}

/** A `var` inside a statement, or a function in a block, would be another variable when the statement runs again. */
function hidesVariables(statement: Node): boolean {
  if (declarationOf(statement) !== null || statement.type === "FunctionDeclaration" || /^(Export|Import)/.test(statement.type)) return false;
  return anyOutside(statement, (node) => (node.type === "VariableDeclaration" && node.kind === "var") || node.type === "FunctionDeclaration");
}

/** True if the module's own top level waits for something. */
function waits(program: Program): boolean {
  return program.body.some((statement) => anyOutside(statement, (node) => node.type === "AwaitExpression" || (node.type === "ForOfStatement" && node.await)));
}

/** Gives the module object a property once: `exports.x = …`, `module.exports = …`, `Object.defineProperty(exports, …)`, `export default …`. */
export function isExporting(statement: Node): boolean {
  if (statement.type === "ExportDefaultDeclaration") return !isFunction(statement.declaration) && !isClass(statement.declaration);
  if (statement.type !== "ExpressionStatement") return false;
  const { expression } = statement;
  if (expression.type === "AssignmentExpression") return isModuleObject(expression.left);
  const [first] = expression.type === "CallExpression" ? expression.arguments : [];
  return first !== undefined && isModuleObject(first);
}

function isModuleObject(node: Node): boolean {
  if (node.type === "Identifier") return node.name === "exports";
  if (node.type !== "MemberExpression") return false;
  return isModuleObject(node.object) || (node.object.type === "Identifier" && node.object.name === "module" && node.property.type === "Identifier" && node.property.name === "exports");
}

import { boundNames, forEachChild, isClass, isFunction, type Node } from "./syntax.ts";

/** `let`, `const`, `class`, `function` and imports that stand directly in a list of statements. */
export function declareLexical(body: readonly Node[], names: Set<string>): void {
  for (const statement of body) {
    const declared = (statement.type === "ExportNamedDeclaration" || statement.type === "ExportDefaultDeclaration") && statement.declaration ? statement.declaration : statement;
    if (declared.type === "VariableDeclaration" && declared.kind !== "var") {
      for (const declarator of declared.declarations) for (const name of boundNames(declarator.id)) names.add(name);
    } else if ((declared.type === "FunctionDeclaration" || declared.type === "ClassDeclaration") && declared.id) names.add(declared.id.name);
    else if (declared.type === "ImportDeclaration") for (const specifier of declared.specifiers) names.add(specifier.local.name);
  }
}

/** `var`s anywhere below that are not in another function, and sloppy functions in blocks. */
export function declareVars(node: Node, names: Set<string>, isSloppy: boolean): void {
  if (isFunction(node)) {
    if (isSloppy && node.type === "FunctionDeclaration" && node.id) names.add(node.id.name);
    return;
  }
  if (isClass(node)) return;
  if (node.type === "VariableDeclaration" && node.kind === "var") {
    for (const declarator of node.declarations) for (const name of boundNames(declarator.id)) names.add(name);
  }
  if (isStatementLike(node)) forEachChild(node, (child) => declareVars(child, names, isSloppy));
}

/** Expressions cannot hold a `var` of the same function; not walking them saves half the time. */
function isStatementLike(node: Node): boolean {
  switch (node.type) {
    case "BlockStatement":
    case "IfStatement":
    case "ForStatement":
    case "ForInStatement":
    case "ForOfStatement":
    case "WhileStatement":
    case "DoWhileStatement":
    case "TryStatement":
    case "CatchClause":
    case "SwitchStatement":
    case "SwitchCase":
    case "LabeledStatement":
    case "WithStatement":
    case "ExportNamedDeclaration":
      return true;
    default:
      return false;
  }
}

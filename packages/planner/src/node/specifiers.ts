import { forEachChild, lineOf, type Node } from "./syntax.ts";
import type { Program } from "acorn";

export interface ImportedSpecifier {
  readonly specifier: string;
  readonly line: number;
  /** `static`: import/export declarations. `dynamic`: import(). `require`: CommonJS. */
  readonly kind: "static" | "dynamic" | "require";
  /** True if it is resolved while the unit loads, so that it must exist: static, or a require at top level. */
  readonly isEager: boolean;
}

/** All module specifiers of a unit that are literals, and whether some are not. */
export function readImports(program: Program, source: string): { specifiers: ImportedSpecifier[]; hasOpenImport: boolean } {
  const specifiers: ImportedSpecifier[] = [];
  let hasOpenImport = false;
  const add = (literal: Node | null | undefined, kind: ImportedSpecifier["kind"], isEager: boolean): void => {
    if (literal?.type === "Literal" && typeof literal.value === "string") {
      specifiers.push({ specifier: literal.value, line: lineOf(source, literal.start), kind, isEager });
    } else if (literal) hasOpenImport = true;
  };
  const walk = (node: Node, depth: number): void => {
    let inner = depth;
    switch (node.type) {
      case "ImportDeclaration":
      case "ExportAllDeclaration":
        return add(node.source, "static", true);
      case "ExportNamedDeclaration":
        add(node.source, "static", true);
        break;
      case "ImportExpression":
        add(node.source, "dynamic", false);
        break;
      case "CallExpression":
        if (node.callee.type === "Identifier" && node.callee.name === "require" && node.arguments.length === 1) add(node.arguments[0], "require", depth === 0);
        break;
      case "FunctionDeclaration":
      case "FunctionExpression":
      case "ArrowFunctionExpression":
      case "TryStatement":
        inner++;
        break;
      default:
        break;
    }
    forEachChild(node, (child) => walk(child, inner));
  };
  for (const statement of program.body) walk(statement, 0);
  return { specifiers, hasOpenImport };
}

import { forEachChild, isFunction, type Lines, type Node } from "./syntax.ts";
import type { Program } from "acorn";

export interface ImportedSpecifier {
  readonly specifier: string;
  readonly line: number;
  /** `static`: import/export declarations. `dynamic`: import(). `require`: CommonJS. */
  readonly kind: "static" | "dynamic" | "require";
  /** True if it is resolved while the unit loads, so that it must exist: static, or a require at top level. */
  readonly isEager: boolean;
}

/** All module specifiers of a unit that are literals, and whether some are not. `nodes`: the marked imports. */
export function readImports(program: Program, nodes: readonly Node[], lines: Lines): { specifiers: ImportedSpecifier[]; hasOpenImport: boolean } {
  const specifiers: ImportedSpecifier[] = [];
  let hasOpenImport = false;
  const add = (literal: Node | null | undefined, kind: ImportedSpecifier["kind"], isEager: boolean): void => {
    if (literal?.type === "Literal" && typeof literal.value === "string") {
      specifiers.push({ specifier: literal.value, line: lines.of(literal.start), kind, isEager });
    } else if (literal) hasOpenImport = true;
  };
  for (const node of nodes) {
    switch (node.type) {
      case "ImportDeclaration":
      case "ExportAllDeclaration":
      case "ExportNamedDeclaration":
        add(node.source, "static", true);
        break;
      case "ImportExpression":
        add(node.source, "dynamic", false);
        break;
      case "CallExpression":
        if (node.arguments.length === 1) add(node.arguments[0], "require", isAtTop(program, node));
        break;
      default:
        break;
    }
  }
  return { specifiers, hasOpenImport };
}

/** True if no function or `try` is around the node. */
function isAtTop(program: Program, wanted: Node): boolean {
  for (let at: Node | null = childAround(program, wanted); at !== wanted; at = childAround(at, wanted)) {
    if (at === null || isFunction(at) || at.type === "TryStatement") return false;
  }
  return true;
}

function childAround(node: Node, wanted: Node): Node | null {
  let found: Node | null = null;
  forEachChild(node, (child) => {
    if (child.start <= wanted.start && child.end >= wanted.end) found = child;
  });
  return found;
}

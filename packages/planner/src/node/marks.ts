import { compact, type Node } from "./syntax.ts";

/** What later steps look for anywhere in a statement, found while parsing so that none of them has to walk all of it. In source order. */
export interface Marks {
  /** Strings, templates and regular expressions: their text counts exactly. */
  readonly literals: readonly Node[];
  /** `import.meta` */
  readonly metas: readonly Node[];
  /** `new.target` */
  readonly newTargets: readonly Node[];
  readonly supers: readonly Node[];
  /** Import and export declarations with a source, `import()` and `require()`. */
  readonly imports: readonly Node[];
}

export type MutableMarks = { readonly [K in keyof Marks]: Node[] };

export function createMarks(): MutableMarks {
  return { literals: [], metas: [], newTargets: [], supers: [], imports: [] };
}

/** In source order, in as little memory as they need. */
export function sorted(marks: MutableMarks): Marks {
  const inOrder = (list: Node[]): readonly Node[] => compact(list.length > 1 ? list.sort((a, b) => a.start - b.start) : list);
  return { literals: inOrder(marks.literals), metas: inOrder(marks.metas), newTargets: inOrder(marks.newTargets), supers: inOrder(marks.supers), imports: inOrder(marks.imports) };
}

/** Takes up a node that has just been parsed. */
export function mark(node: Node, marks: MutableMarks): void {
  switch (node.type) {
    case "Literal":
      if (typeof node.value === "string" || ("regex" in node && node.regex)) marks.literals.push(node);
      break;
    case "TemplateElement":
      marks.literals.push(node);
      break;
    case "MetaProperty":
      (node.meta.name === "import" ? marks.metas : marks.newTargets).push(node);
      break;
    case "Super":
      marks.supers.push(node);
      break;
    case "ImportDeclaration":
    case "ImportExpression":
    case "ExportAllDeclaration":
    case "ExportNamedDeclaration":
      marks.imports.push(node);
      break;
    case "CallExpression":
      withoutComma(node);
      if (node.callee.type === "Identifier" && node.callee.name === "require") marks.imports.push(node);
      break;
    default:
      break;
  }
}

/**
 * `(0, shop.price)(cart)`, as compilers write a call of an import: the comma only keeps `this` undefined. What is
 * called is the same. `(0, eval)` is another function than `eval`, and stays.
 */
function withoutComma(node: Extract<Node, { type: "CallExpression" }>): void {
  const { callee } = node;
  if (callee.type !== "SequenceExpression" || callee.expressions.length !== 2 || callee.expressions[0]!.type !== "Literal") return;
  const called = callee.expressions[1]!;
  if (called.type === "MemberExpression" || (called.type === "Identifier" && called.name !== "eval" && called.name !== "require")) node.callee = called;
}

import { Parser, type Comment, type Options, type Program } from "acorn";
import type { Format, Node } from "./syntax.ts";

/** What later steps look for anywhere in a unit, found while parsing so that none of them has to walk all of it. In source order. */
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

interface MutableMarks {
  readonly literals: Node[];
  readonly metas: Node[];
  readonly newTargets: Node[];
  readonly supers: Node[];
  readonly imports: Node[];
}

/** acorn's own step that ends each node; it is how acorn's plug-ins extend it. */
interface Finishing {
  finishNode(node: Node, type: string): Node;
  finishNodeAt(node: Node, type: string, end: number, loc: unknown): Node;
}

const Base = Parser as unknown as new (options: Options, source: string) => Finishing & { parse(): Program };

class MarkingParser extends Base {
  readonly marks: MutableMarks = { literals: [], metas: [], newTargets: [], supers: [], imports: [] };

  override finishNode(node: Node, type: string): Node {
    const done = super.finishNode(node, type);
    mark(done, this.marks);
    return done;
  }

  override finishNodeAt(node: Node, type: string, end: number, loc: unknown): Node {
    const done = super.finishNodeAt(node, type, end, loc);
    mark(done, this.marks);
    return done;
  }
}

function mark(node: Node, marks: MutableMarks): void {
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

/** Throws a SyntaxError as acorn does. */
export function parseWithMarks(source: string, format: Format): { program: Program; comments: Comment[]; marks: Marks } {
  const comments: Comment[] = [];
  const parser = new MarkingParser({ ecmaVersion: "latest", sourceType: format === "esm" ? "module" : "commonjs", allowHashBang: true, onComment: comments }, source);
  const program = parser.parse();
  const byStart = (a: Node, b: Node): number => a.start - b.start;
  for (const list of Object.values(parser.marks) as Node[][]) list.sort(byStart);
  return { program, comments, marks: parser.marks };
}

import { Parser, tokTypes, type Comment, type Options, type Program, type TokenType } from "acorn";
import { createMarks, mark, sorted, type Marks, type MutableMarks } from "./marks.ts";
import { boundNames, compact, copyNode, type Format, type Node, type Statement } from "./syntax.ts";

/**
 * One statement of a unit's top level, with all that parsing it found. Another text that has the same statement at the same
 * place takes it over, nodes and all: they are never changed once they are parsed. One that has it elsewhere takes a copy.
 */
export interface ParsedStatement {
  readonly node: Statement;
  readonly comments: readonly Comment[];
  readonly marks: Marks;
  /** What it declares at the top level. */
  readonly declared: Declared;
  /** Null: what comes after it may become part of it, or the parser goes on otherwise after it. */
  readonly end: "}" | ";" | null;
  /** The same in all copies of a statement, and in no other. */
  readonly origin: object;
  /** What later steps found in it. */
  readonly kept: unknown[];
}

let memos = 0;

/** What one step finds in a statement, kept with it. */
export class StatementMemo<T> {
  readonly #at = memos++;

  get({ kept }: ParsedStatement): T | undefined {
    return kept[this.#at] as T | undefined;
  }

  set({ kept }: ParsedStatement, found: T): T {
    kept[this.#at] = found;
    return found;
  }
}

interface Declared {
  readonly var: readonly string[];
  readonly lexical: readonly string[];
  readonly functions: readonly string[];
}

/** A text that was parsed before. */
export interface Former {
  readonly source: string;
  readonly format: Format;
  readonly syntax: Syntax;
}

export interface Syntax {
  readonly program: Program;
  readonly comments: readonly Comment[];
  /** In source order, as in the program's body. */
  readonly statements: readonly ParsedStatement[];
  /** Its top level is strict. */
  readonly isStrict: boolean;
}

export type ParseResult =
  | { readonly kind: "parsed"; readonly syntax: Syntax }
  | { readonly kind: "error"; readonly message: string; readonly line: number; readonly column: number };

/** The kinds of binding that acorn knows (`scopeflags.js`). */
const binding = { var: 1, lexical: 2, functions: 3 } as const;

/** What acorn's plug-ins extend and use. */
interface Internals {
  readonly input: string;
  readonly strict: boolean;
  readonly scopeStack: readonly { readonly var: string[]; readonly lexical: string[]; readonly functions: string[] }[];
  type: TokenType;
  value: unknown;
  pos: number;
  start: number;
  end: number;
  context: unknown;
  exprAllowed: boolean;
  containsEsc: boolean;
  initialContext(): unknown;
  next(): void;
  parse(): Program;
  parseStatement(context: null | string, isTopLevel?: boolean, exports?: Exports): Statement;
  parseTopLevel(program: Program): Program;
  declareName(name: string, kind: number, position: number): void;
  checkExport(exports: Exports, name: string, position: number): void;
  finishNode(node: Node, type: string): Node;
  finishNodeAt(node: Node, type: string, end: number, loc: unknown): Node;
}

type Exports = Record<string, true>;

const Base = Parser as unknown as new (options: Options, source: string) => Internals;

class StatementParser extends Base {
  readonly comments: Comment[];
  readonly statements: ParsedStatement[] = [];
  readonly #former: Former | null;
  #marks: MutableMarks = createMarks();
  /** The first of the former text's statements that does not stand before this place. */
  #at = 0;
  /** The one after the last that was taken over. */
  #next = 0;
  #exports: Exports = {};

  constructor(source: string, format: Format, former: Former | null) {
    const comments: Comment[] = [];
    super({ ecmaVersion: "latest", sourceType: format === "esm" ? "module" : "commonjs", allowHashBang: true, onComment: comments }, source);
    this.comments = comments;
    this.#former = former?.format === format && former.syntax.isStrict === this.strict ? former : null;
  }

  override finishNode(node: Node, type: string): Node {
    const done = super.finishNode(node, type);
    mark(done, this.#marks);
    return done;
  }

  override finishNodeAt(node: Node, type: string, end: number, loc: unknown): Node {
    const done = super.finishNodeAt(node, type, end, loc);
    mark(done, this.#marks);
    return done;
  }

  override parseStatement(context: null | string, isTopLevel?: boolean, exports?: Exports): Statement {
    if (isTopLevel !== true || exports === undefined) return super.parseStatement(context, isTopLevel, exports);
    this.#exports = exports;
    const statement = this.#takeOver() ?? this.#parseAnew(exports);
    this.statements.push(statement);
    return statement.node;
  }

  #parseAnew(exports: Exports): ParsedStatement {
    const [top] = this.scopeStack;
    const counts = [top!.var.length, top!.lexical.length, top!.functions.length] as const;
    const node = super.parseStatement(null, true, exports);
    const marks = sorted(this.#marks);
    this.#marks = createMarks();
    // The last ones may be of what comes after it.
    const comments = [];
    for (let at = this.comments.length - 1; at >= 0 && this.comments[at]!.end > node.start; at--) if (this.comments[at]!.start < node.end) comments.unshift(this.comments[at]!);
    const declared = { var: compact(top!.var.slice(counts[0])), lexical: compact(top!.lexical.slice(counts[1])), functions: compact(top!.functions.slice(counts[2])) };
    return { node, comments: compact(comments), marks, declared, end: endOf(node, this.input), origin: {}, kept: [] };
  }

  /** Goes on behind a statement that the former text has, too. */
  #takeOver(): ParsedStatement | null {
    const found = this.#former === null ? null : (this.#findHere(this.#former) ?? this.#findMoved(this.#former));
    if (found === null) return null;
    const { node, comments, declared, end } = found;
    for (const kind of ["var", "lexical", "functions"] as const) for (const name of declared[kind]) this.declareName(name, binding[kind], node.start);
    if (node.type === "ExportNamedDeclaration" && node.declaration) for (const name of declaredBy(node.declaration)) this.checkExport(this.#exports, name, node.start);
    for (const comment of comments) this.comments.push(comment);
    // As if its last token had just been read.
    this.context = this.initialContext();
    this.exprAllowed = true;
    this.containsEsc = false;
    this.type = end === ";" ? tokTypes.semi : tokTypes.braceR;
    this.value = undefined;
    this.start = node.end - 1;
    this.end = this.pos = node.end;
    this.next();
    // What these begin depends, to acorn, on more than the last token.
    if (this.type === tokTypes.slash || this.type === tokTypes.regexp || this.type === tokTypes.braceL) throw new SyntaxError("not to be told here");
    return found;
  }

  /** At this very place. */
  #findHere({ source, syntax: { statements } }: Former): ParsedStatement | null {
    while (this.#at < statements.length && statements[this.#at]!.node.start < this.start) this.#at++;
    const found = statements[this.#at];
    if (found === undefined || found.node.start !== this.start || !this.#isHere(found, source)) return null;
    this.#next = this.#at + 1;
    return found;
  }

  /** Moved, as all that stands behind a change of length is. */
  #findMoved({ source, syntax: { statements } }: Former): ParsedStatement | null {
    const end = Math.min(this.#next + reach, statements.length);
    for (let at = this.#next; at < end; at++) {
      const found = statements[at]!;
      // Of an import two nodes are one.
      if (found.node.type === "ImportDeclaration" || !this.#isHere(found, source)) continue;
      this.#next = at + 1;
      return move(found, this.start - found.node.start);
    }
    return null;
  }

  #isHere({ node, end }: ParsedStatement, source: string): boolean {
    const last = this.start + node.end - node.start - 1;
    return end !== null && this.input[last] === end && this.input.slice(this.start, last + 1) === source.slice(node.start, node.end);
  }
}

/** How far ahead of the last one that was taken over the former text's statements are looked at. */
const reach = 8;

/** The same statement at another place. */
function move({ node, comments, declared, end, origin }: ParsedStatement, by: number): ParsedStatement {
  const marks = createMarks();
  const copy = copyNode(node, by, (child) => mark(child, marks));
  return { node: copy, comments: comments.map((comment) => ({ ...comment, start: comment.start + by, end: comment.end + by })), marks: sorted(marks), declared, end, origin, kept: [] };
}

/** The token that ends a statement, whatever follows. */
function endOf(node: Statement, source: string): ParsedStatement["end"] {
  switch (node.type) {
    case "FunctionDeclaration":
    case "ClassDeclaration":
      return "}";
    case "ExportNamedDeclaration":
      return node.declaration ? endOf(node.declaration, source) : null;
    case "ExpressionStatement":
      if (node.expression.type === "Literal") return null;
      return source[node.end - 1] === ";" ? ";" : null;
    case "VariableDeclaration":
    case "ImportDeclaration":
      return source[node.end - 1] === ";" ? ";" : null;
    default:
      return null;
  }
}

function declaredBy(node: Node): readonly string[] {
  if (node.type === "VariableDeclaration") return node.declarations.flatMap(({ id }) => boundNames(id));
  return node.type === "FunctionDeclaration" || node.type === "ClassDeclaration" ? boundNames(node.id) : [];
}

/** Parses a unit's JavaScript; what `former` has of it already is taken over. A syntax error is an answer, not an exception. */
export function parse(source: string, format: Format, former: Former | null = null): ParseResult {
  try {
    const parser = new StatementParser(source, format, former);
    const { strict: isStrict } = parser;
    const program = parser.parse();
    const { comments, statements } = parser;
    return { kind: "parsed", syntax: { program, comments, statements, isStrict } };
  } catch (error) {
    if (!(error instanceof SyntaxError)) throw error;
    // Where it is to be told, the whole text is read.
    if (former !== null) return parse(source, format);
    const { loc } = error as SyntaxError & { loc?: { line: number; column: number } };
    return { kind: "error", message: error.message.replace(/ \(\d+:\d+\)$/, ""), line: loc?.line ?? 1, column: (loc?.column ?? 0) + 1 };
  }
}

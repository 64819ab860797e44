import { StatementMemo, type Syntax } from "./statements.ts";
import { compact, type Node } from "./syntax.ts";

/** What the normal form of code would change or misread. */
const exact = /\s|\/[/*]/;

const memo = new StatementMemo<readonly Node[]>();

interface Special {
  readonly start: number;
  readonly end: number;
  readonly kind: "comment" | "literal";
}

/**
 * Compares pieces of a source by what they mean to the parser: comments and indentation do not count, line breaks
 * do (automatic semicolons), and the text of strings, templates and regular expressions counts exactly.
 */
export class Normaliser {
  readonly #source: string;
  readonly #syntax: Syntax;
  #found: readonly Special[] | null = null;

  constructor(source: string, syntax: Syntax) {
    this.#source = source;
    this.#syntax = syntax;
  }

  get #specials(): readonly Special[] {
    return (this.#found ??= this.#find());
  }

  #find(): readonly Special[] {
    const specials: Special[] = this.#syntax.comments.map(({ start, end }) => ({ start, end, kind: "comment" }));
    for (const statement of this.#syntax.statements) {
      const literals = memo.get(statement) ?? memo.set(statement, compact(statement.marks.literals.filter(({ start, end }) => exact.test(this.#source.slice(start, end)))));
      for (const { start, end } of literals) specials.push({ start, end, kind: "literal" });
    }
    return specials.sort((a, b) => a.start - b.start);
  }

  /** The normal form of a range; each hole stands for something compared on its own. */
  normalise(start: number, end: number, holes: readonly { readonly start: number; readonly end: number }[] = []): string {
    const out = new Joined();
    let at = start;
    for (const hole of [...holes].sort((a, b) => a.start - b.start)) {
      if (hole.start < at) continue;
      if (hole.start >= end) break;
      this.#addRange(at, hole.start, out);
      out.text("\u25a1");
      at = hole.end;
    }
    this.#addRange(at, end, out);
    return out.value;
  }

  #addRange(start: number, end: number, out: Joined): void {
    let at = start;
    for (let i = this.#firstAt(start); i < this.#specials.length; i++) {
      const special = this.#specials[i]!;
      if (special.start >= end) break;
      if (special.start < at) continue;
      out.code(this.#source.slice(at, special.start));
      at = Math.min(special.end, end);
      const text = this.#source.slice(special.start, at);
      if (special.kind === "literal") out.text(text);
      else out.gap(text.includes("\n") ? "\n" : " ");
    }
    out.code(this.#source.slice(at, end));
  }

  #firstAt(position: number): number {
    let low = 0;
    let high = this.#specials.length;
    while (low < high) {
      const middle = (low + high) >> 1;
      if (this.#specials[middle]!.end <= position) low = middle + 1;
      else high = middle;
    }
    return low;
  }
}

/** Joins text so that any run of white space and comments is one space, or one line break if it holds one. */
class Joined {
  value = "";
  #gap: "" | " " | "\n" = "";

  gap(kind: " " | "\n"): void {
    if (this.#gap !== "\n") this.#gap = kind;
  }

  text(text: string): void {
    if (this.value !== "") this.value += this.#gap;
    this.#gap = "";
    this.value += text;
  }

  code(code: string): void {
    spaces.lastIndex = 0;
    let at = 0;
    for (let found = spaces.exec(code); found !== null; found = spaces.exec(code)) {
      if (found.index > at) this.text(code.slice(at, found.index));
      this.gap(found[0].includes("\n") ? "\n" : " ");
      at = spaces.lastIndex;
    }
    if (at < code.length) this.text(at === 0 ? code : code.slice(at));
  }
}

const spaces = /\s+/g;

/** 53-bit content key of a text (cyrb53), for names inside one unit; never for trust. */
export function contentKey(text: string): string {
  let a = 0xdeadbeef;
  let b = 0x41c6ce57;
  for (let i = 0; i < text.length; i++) {
    const code = text.charCodeAt(i);
    a = Math.imul(a ^ code, 2654435761);
    b = Math.imul(b ^ code, 1597334677);
  }
  a = Math.imul(a ^ (a >>> 16), 2246822507) ^ Math.imul(b ^ (b >>> 13), 3266489909);
  b = Math.imul(b ^ (b >>> 16), 2246822507) ^ Math.imul(a ^ (a >>> 13), 3266489909);
  return (4294967296 * (2097151 & b) + (a >>> 0)).toString(36);
}

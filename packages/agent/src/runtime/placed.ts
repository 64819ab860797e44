import { pathToFileURL } from "node:url";
import type { Piece } from "@midflight/protocol";
import type { Instance } from "./instance.ts";
import type { OverlayUnit } from "./overlay.ts";
import { checkPieces, growthsIn, joinPieces, startOf } from "./text.ts";

/** One text, in the form for a door that evaluates it once, and in that for many doors. It is joined when it is asked for: until then it takes no memory. */
export interface Expression {
  readonly once: () => string;
  readonly often: () => string;
}

/**
 * V8 keeps the compiled form of each text that `eval` has met, about two kilobytes, until memory runs short: over many
 * updates that has no bound. It leaves out texts with a tagged template, whose strings belong to one evaluation
 * (ECMA-262 §13.2.8.4 GetTemplateObject). This one is never evaluated: a function stands before it.
 */
const unkept = "||0``";

/**
 * Texts of one unit's overlay, each at the line and the column where it stands in the artifact, with names of cells in it: a stack trace shows
 * the place in the new text. The name that it shows is the file's with the text's digest, because the file on disk
 * holds another text: what looks up maps or lines by name must not find those of that one.
 */
export class Placed {
  readonly #unit: OverlayUnit;
  readonly #suffix: string;
  readonly #growths: readonly Growth[];
  /** Where the last search for a line ended: texts mostly come in the order in which they stand. */
  #line = 0;
  #lineStart = 0;

  constructor(unit: OverlayUnit, instance: Instance) {
    const { ops } = unit;
    this.#unit = unit;
    this.#growths = growthsOf(unit);
    const name = frameName(instance, ops.artifact);
    this.#suffix = name === null ? "" : `\n//# sourceURL=${name}`;
  }

  /** A function expression of some pieces between `before` and `after`, ready to be compiled. @throws RangeError if a piece lies outside the artifact */
  expression(before: string, pieces: readonly Piece[], after: string): Expression {
    checkPieces(this.#unit.text, pieces);
    const join = (): string => `${this.#lead(before, startOf(pieces))}${joinPieces(this.#unit.text, pieces)}${after})`;
    return { once: () => join() + unkept + this.#suffix, often: () => join() + this.#suffix };
  }

  /** The text of some pieces, as a function that is made of it tells it. */
  textOf(pieces: readonly Piece[]): string {
    return joinPieces(this.#unit.text, pieces);
  }

  #lead(before: string, start: number | null): string {
    if (start === null) return `(${before}`;
    const { line, column } = this.#find(start);
    const indent = line === 0 ? column - before.length - 1 : column;
    return `(${before}${"\n".repeat(line)}${" ".repeat(Math.max(0, indent))}`;
  }

  #find(position: number): { readonly line: number; readonly column: number } {
    const { text } = this.#unit;
    if (position < this.#lineStart) this.#line = this.#lineStart = 0;
    for (let next = text.indexOf("\n", this.#lineStart); next !== -1 && next < position; next = text.indexOf("\n", next + 1)) {
      this.#line++;
      this.#lineStart = next + 1;
    }
    let column = position - this.#lineStart;
    for (const { at, by } of this.#growths) if (at >= this.#lineStart && at < position) column += by;
    return { line: this.#line, column };
  }
}

/** A place in an artifact at which an overlay's texts are longer, because a name there became that of a cell. */
export interface Growth {
  readonly at: number;
  readonly by: number;
}

/** All growths of a unit's texts, in order: they are placed as if the whole artifact had been written anew, so that one map fits all. */
export function growthsOf({ ops }: OverlayUnit): readonly Growth[] {
  const found = new Map<number, number>();
  for (const { text } of [...ops.bodies, ...ops.members, ...ops.cells, ...(ops.reload?.steps ?? [])]) if (text !== null) growthsIn(text, found);
  return [...found].sort(([a], [b]) => a - b).map(([at, by]) => ({ at, by }));
}

/** Hex digits of the artifact's digest that a frame shows. */
const shownDigits = 12;
/** What ends a `sourceURL`, or makes engines ignore it. */
const unfit = /[\s'"]/;

/** The name of an instance's newer text in stack traces: its own and `?mf=DIGEST`. Null if it cannot stand in a comment. */
export function frameName({ url }: Instance, artifact: string): string | null {
  const file = unfit.test(url) ? pathToFileURL(url).href : url;
  return unfit.test(file) ? null : `${file}${file.includes("?") ? "&" : "?"}mf=${artifact.slice(7, 7 + shownDigits)}`;
}

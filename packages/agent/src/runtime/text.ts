import type { BodyOp, CellOp, Insertion, MemberOp, Piece, ReloadStep } from "@midflight/protocol";

/**
 * Joins the pieces of a text; what was cut out between them becomes white space, so that all that follows keeps its
 * column. The only words that are not the artifact's are the forms of spec/instrument.md.
 * That bounds what a transition can say; it does not make its signer harmless, who is trusted as the builder is.
 * Throws a RangeError if a piece lies outside the artifact.
 */
export function joinPieces(artifact: string, pieces: readonly Piece[]): string {
  checkPieces(artifact, pieces);
  let text = "";
  let at: number | null = null;
  for (const piece of pieces) {
    if (typeof piece[0] === "number") {
      if (at !== null && at < piece[0]) text += blank(artifact, at, piece[0]);
      text += artifact.slice(piece[0], piece[1]);
      at = piece[1];
      continue;
    }
    if (at !== null) at += piece[1].length;
    text += inserted(piece);
  }
  return text;
}

/** Pieces ascend. @throws RangeError if one lies outside the artifact */
export function checkPieces(artifact: string, pieces: readonly Piece[]): void {
  for (const [start, end] of pieces) if (typeof start === "number" && end > artifact.length) throw new RangeError("a piece lies outside the artifact");
}

const blanks = " ".repeat(256);

/** White space in the shape of a part of the text. One string a line: V8 joins what a `replace` finds piece by piece, and keeps all of them. */
function blank(text: string, from: number, to: number): string {
  let shape = "";
  let at = from;
  for (let end = text.indexOf("\n", at); end !== -1 && end < to; end = text.indexOf("\n", at)) {
    shape += `${spaces(end - at)}\n`;
    at = end + 1;
  }
  return shape + spaces(to - at);
}

function spaces(count: number): string {
  return count <= blanks.length ? blanks.slice(0, count) : " ".repeat(count);
}

function inserted([kind, name]: Insertion): string {
  switch (kind) {
    case "ref":
      return `$mfo.${name}`;
    case "call":
      return `$mfi($mfo.${name})`;
    case "short":
      return `${name}:$mfo.${name}`;
  }
}

/** Where names of the artifact were written anew in some pieces, and by how much the text grew there. */
export function growthsIn(pieces: readonly Piece[], into: Map<number, number>): void {
  let at = startOf(pieces) ?? 0;
  for (const piece of pieces) {
    if (typeof piece[0] === "number") {
      at = piece[1];
      continue;
    }
    into.set(at, inserted(piece).length - piece[1].length);
    at += piece[1].length;
  }
}

/** Where the pieces begin in the artifact; null if they hold nothing of it. An insertion stands where its name stood. */
export function startOf(pieces: readonly Piece[]): number | null {
  let before = 0;
  for (const piece of pieces) {
    if (typeof piece[0] === "number") return Math.max(0, piece[0] - before);
    before += piece[1].length;
  }
  return null;
}

/** What stands before and after a text to make an expression of it. */
export type Frame = readonly [before: string, after: string];

/** Makes the body's maker: `(cells, identity, birth) => [function, home object]`. */
export function bodyMaker(op: Pick<BodyOp, "form" | "isAsync" | "isGenerator" | "name">): Frame {
  const name = JSON.stringify(op.name);
  if (op.form === "method") {
    return [`($mfo,$mfi,$mfr)=>{const $mfq={${headOf(op)}`, `};return[$mfq[${name}],$mfq]}`];
  }
  // A property's name instead of the function's own: inside, the name goes on meaning the original.
  return [`($mfo,$mfi,$mfr)=>[({[${name}]:`, `})[${name}],undefined]`];
}

/** How the function that a body's maker makes begins; what follows is its text, with the blanks before it that give it its place. */
export function headOf(op: Pick<BodyOp, "form" | "isAsync" | "isGenerator" | "name">): string {
  return op.form === "method" ? `${marksOf(op)}[${JSON.stringify(op.name)}]` : "";
}

function marksOf({ isAsync, isGenerator }: Pick<BodyOp, "isAsync" | "isGenerator">): string {
  return `${isAsync ? "async " : ""}${isGenerator ? "*" : ""}`;
}

export function memberMaker(op: MemberOp): Frame {
  return bodyMaker({ form: "method", isAsync: op.isAsync, isGenerator: op.isGenerator, name: op.name });
}

/** Makes a cell's value: `(cells, identity, birth) => value`. */
export function cellMaker(op: CellOp): Frame {
  const name = JSON.stringify(op.name);
  if (op.kind === "function") return [`($mfo,$mfi,$mfr)=>({[${name}]:`, `})[${name}]`];
  return ["($mfo,$mfi,$mfr)=>(", ")"];
}

/** Makes a step of a top level that runs again: `(cells, identity, birth) => {}`. */
export function stepMaker(kind: ReloadStep["kind"]): Frame {
  switch (kind) {
    case "bind":
      return ["($mfo,$mfi,$mfr)=>{(", ")}"];
    case "clear":
      return ["($mfo,$mfi,$mfr)=>{(", "=undefined)}"];
    case "run":
      return ["($mfo,$mfi,$mfr)=>{", "}"];
  }
}

import type { BodyOp, CellOp, MemberOp, Piece } from "@midflight/protocol";

/**
 * Joins the pieces of a text. The only words that are not the artifact's are the forms of spec/instrument.md.
 * That bounds what a transition can say; it does not make its signer harmless, who is trusted as the builder is.
 * Throws a RangeError if a piece lies outside the artifact.
 */
export function joinPieces(artifact: string, pieces: readonly Piece[]): string {
  let text = "";
  for (const piece of pieces) {
    if (typeof piece[0] === "number") {
      if (piece[1] > artifact.length) throw new RangeError("a piece lies outside the artifact");
      text += artifact.slice(piece[0], piece[1]);
      continue;
    }
    const [kind, name] = piece;
    switch (kind) {
      case "ref":
        text += `$mfo.${name}`;
        break;
      case "call":
        text += `$mfi($mfo.${name})`;
        break;
      case "short":
        text += `${name}:$mfo.${name}`;
        break;
    }
  }
  return text;
}

/** Expression that makes the body's maker: `(cells, identity, birth) => [function, home object]`. */
export function bodyMaker(op: Pick<BodyOp, "form" | "isAsync" | "isGenerator" | "name">, text: string): string {
  const name = JSON.stringify(op.name);
  if (op.form === "method") {
    const marks = `${op.isAsync ? "async " : ""}${op.isGenerator ? "*" : ""}`;
    return `($mfo,$mfi,$mfr)=>{const $mfq={${marks}[${name}]${text}};return[$mfq[${name}],$mfq]}`;
  }
  // A property's name instead of the function's own: inside, the name goes on meaning the original.
  return `($mfo,$mfi,$mfr)=>[({[${name}]:${text}})[${name}],undefined]`;
}

export function memberMaker(op: MemberOp, text: string): string {
  return bodyMaker({ form: "method", isAsync: op.isAsync, isGenerator: op.isGenerator, name: op.name }, text);
}

/** Expression that makes a cell's value: `(cells, identity, birth) => value`. */
export function cellMaker(op: CellOp, text: string): string {
  const name = JSON.stringify(op.name);
  if (op.kind === "function") return `($mfo,$mfi,$mfr)=>({[${name}]:${text}})[${name}]`;
  return `($mfo,$mfi,$mfr)=>(${text})`;
}

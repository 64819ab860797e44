/** One insertion or replacement, and where its text ends up. */
export interface Edit {
  readonly start: number;
  readonly end: number;
  readonly text: string;
  readonly rank: number;
  /** Set when the edits are applied. */
  artifactStart: number;
  artifactEnd: number;
}

/** Collects edits of a source text and tells where each of its positions is afterwards. */
export class Edits {
  readonly #source: string;
  readonly #edits: Edit[] = [];
  readonly #moves: { start: number; end: number; edit: Edit; offset: number }[] = [];
  #deltas: { at: number; end: number; delta: number }[] = [];

  constructor(source: string) {
    this.#source = source;
  }

  /** Inserts after what was inserted at the same place before. */
  insert(at: number, text: string): Edit {
    return this.#add(at, at, text, this.#edits.length);
  }

  /** Closes something: inserted before what was inserted at the same place before, so that inner ends come first. */
  close(at: number, text: string): Edit {
    return this.#add(at, at, text, -this.#edits.length - 1);
  }

  replace(start: number, end: number, text: string): Edit {
    return this.#add(start, end, text, this.#edits.length);
  }

  /** Says that the source range now stands in `edit`'s text, from `offset` on, character for character. */
  move(start: number, end: number, edit: Edit, offset: number): void {
    this.#moves.push({ start, end, edit, offset });
  }

  #add(start: number, end: number, text: string, rank: number): Edit {
    const edit: Edit = { start, end, text, rank, artifactStart: 0, artifactEnd: 0 };
    this.#edits.push(edit);
    return edit;
  }

  apply(): string {
    const sorted = [...this.#edits].sort((a, b) => a.start - b.start || a.rank - b.rank);
    const parts: string[] = [];
    let at = 0;
    let length = 0;
    const deltas: { at: number; end: number; delta: number }[] = [];
    for (const edit of sorted) {
      if (edit.start < at) throw new Error(`edits overlap at ${edit.start}`);
      const kept = this.#source.slice(at, edit.start);
      parts.push(kept, edit.text);
      length += kept.length;
      edit.artifactStart = length;
      length += edit.text.length;
      edit.artifactEnd = length;
      at = edit.end;
      deltas.push({ at: edit.start, end: edit.end, delta: length - edit.end });
    }
    parts.push(this.#source.slice(at));
    this.#deltas = deltas;
    return parts.join("");
  }

  /** Position after applying; what was inserted at the very place comes before it. */
  map(position: number): number {
    for (const move of this.#moves) {
      if (position >= move.start && position <= move.end) return move.edit.artifactStart + move.offset + (position - move.start);
    }
    return position + this.#deltaAt(position, true);
  }

  /** As `map`, but what was inserted at the very place comes after it. */
  mapEnd(position: number): number {
    for (const move of this.#moves) {
      if (position > move.start && position <= move.end) return move.edit.artifactStart + move.offset + (position - move.start);
    }
    return position + this.#deltaAt(position, false);
  }

  #deltaAt(position: number, inclusive: boolean): number {
    let low = 0;
    let high = this.#deltas.length;
    while (low < high) {
      const middle = (low + high) >> 1;
      const { at, end } = this.#deltas[middle]!;
      if (at < position || (inclusive && at === position && end === position)) low = middle + 1;
      else high = middle;
    }
    return low === 0 ? 0 : this.#deltas[low - 1]!.delta;
  }
}

/** Which versions were live when, as far as one outside of the process can know. */
export class Timeline {
  readonly #versions: string[];
  #confirmed = 0;

  constructor(first: string) {
    this.#versions = [first];
  }

  /** From now on this may be live. */
  publish(version: string): void {
    this.#versions.push(version);
  }

  /** The newest is live: the process said so. */
  confirm(): void {
    this.#confirmed = this.#versions.length - 1;
  }

  /** A mark for `between`. */
  get confirmed(): number {
    return this.#confirmed;
  }

  /** What may have been live at some moment since. */
  between(from: number): readonly string[] {
    return this.#versions.slice(from);
  }
}

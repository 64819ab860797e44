/**
 * Knows which editions of the code may answer a request: from its sending on, the one that was live by then, and
 * each one that was on its way since.
 */
export class EditionWatch {
  readonly #timeline: string[];
  #oldest = 0;

  constructor(first: string) {
    this.#timeline = [first];
  }

  get newest(): string {
    return this.#timeline.at(-1) ?? "";
  }

  /** An edition is about to be published. */
  begin(edition: string): void {
    this.#timeline.push(edition);
  }

  /** The process has reported the newest: what is sent from now on must see nothing older. */
  settle(): void {
    this.#oldest = this.#timeline.length - 1;
  }

  /** Call when a request is sent. */
  mark(): number {
    return this.#oldest;
  }

  /** What may answer a request that was marked. */
  since(mark: number): ReadonlySet<string> {
    return new Set(this.#timeline.slice(mark));
  }
}

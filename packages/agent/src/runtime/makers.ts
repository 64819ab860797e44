import type { Door } from "./instance.ts";

/** The compiled texts of one instance's overlay, by door: what the next overlay says too is not compiled again. */
export class Makers {
  #former: Makers | null;
  readonly #made = new Map<string, Map<string, unknown>>();

  /** @param former what is live now */
  constructor(former: Makers | null) {
    this.#former = former;
  }

  /** What `text` makes at a door. `name` tells doors of one instance apart. */
  make(name: string, door: Door, text: string): unknown {
    const made = this.#find(name, text) ?? (this.#former === null ? undefined : this.#former.#find(name, text)) ?? door(text);
    let texts = this.#made.get(name);
    if (texts === undefined) this.#made.set(name, (texts = new Map()));
    texts.set(text, made);
    return made;
  }

  /** These are live now: what the overlay before said beside them is let go. */
  settle(): this {
    this.#former = null;
    return this;
  }

  #find(name: string, text: string): unknown {
    return this.#made.get(name)?.get(text);
  }
}

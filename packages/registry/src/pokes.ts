/** Who wants to hear that a channel grew. A poke is a hint: it carries nothing and may come too often. */
export class Pokes {
  readonly #byChannel = new Map<string, Set<() => void>>();

  on(channel: string, poke: () => void): () => void {
    const own = (): void => poke(); // the same function may be given twice
    const pokes = this.#byChannel.get(channel) ?? new Set();
    this.#byChannel.set(channel, pokes.add(own));
    return () => {
      pokes.delete(own);
      if (pokes.size === 0 && this.#byChannel.get(channel) === pokes) this.#byChannel.delete(channel);
    };
  }

  /** Calls back outside the caller's stack, so that a listener cannot harm an append that is committed already. */
  poke(channel: string): void {
    for (const poke of this.#byChannel.get(channel) ?? []) queueMicrotask(poke);
  }

  clear(): void {
    this.#byChannel.clear();
  }
}

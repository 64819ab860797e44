import type { AppendRequest, Cursor, Enclosure } from "@midflight/protocol";

/** Who wants to hear that a channel grew. A poke is a hint: it may come too often, and what it carries need not be used. */
export class Pokes {
  readonly #byChannel = new Map<string, Set<(enclosure?: Enclosure) => void>>();

  on(channel: string, poke: (enclosure?: Enclosure) => void): () => void {
    const own = (enclosure?: Enclosure): void => poke(enclosure); // the same function may be given twice
    const pokes = this.#byChannel.get(channel) ?? new Set();
    this.#byChannel.set(channel, pokes.add(own));
    return () => {
      pokes.delete(own);
      if (pokes.size === 0 && this.#byChannel.get(channel) === pokes) this.#byChannel.delete(channel);
    };
  }

  /** Calls back outside the caller's stack, so that a listener cannot harm an append that is committed already. */
  poke({ channel, entries, enclosed = [] }: AppendRequest, next: Cursor): void {
    const enclosure = enclosed.length === 0 ? undefined : { after: { epoch: next.epoch, seq: next.seq - entries.length }, next, blobs: enclosed };
    for (const poke of this.#byChannel.get(channel) ?? []) queueMicrotask(() => poke(enclosure));
  }

  clear(): void {
    this.#byChannel.clear();
  }
}

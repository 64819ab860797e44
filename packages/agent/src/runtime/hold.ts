import { AsyncResource } from "node:async_hooks";

/** A request that has come and that the app has not seen yet. */
export interface HeldRequest {
  /** Gives it to the app. */
  readonly begin: () => void;
  /** True if whoever sent it is gone: then nobody waits for an answer. */
  readonly isGone: () => boolean;
}

/** Holds new requests back while those that are under way end. What is held is neither lost nor reordered. */
export class Hold {
  #held: HeldRequest[] | null = null;
  #max = 0;
  #onFull: () => void = () => undefined;

  /** True while new requests are held. */
  get isOn(): boolean {
    return this.#held !== null;
  }

  /** Begins to hold. `onFull` is called when more than `max` are held; that one is held, too. */
  start(max: number, onFull: () => void): void {
    this.#held ??= [];
    this.#max = max;
    this.#onFull = onFull;
  }

  add({ begin, isGone }: HeldRequest): void {
    const held = this.#held!;
    // It begins in the context that it came in, as if nobody had held it.
    held.push({ begin: AsyncResource.bind(begin), isGone });
    if (held.length > this.#max) this.#onFull();
  }

  /** Lets everything begin that was held, in its order, each in a turn of its own: what one throws is not the next one's. */
  release(): void {
    const held = this.#held ?? [];
    this.#held = null;
    for (const { begin, isGone } of held) {
      setImmediate(() => {
        if (!isGone()) begin();
      });
    }
  }
}

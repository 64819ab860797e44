import { AsyncResource } from "node:async_hooks";
import type { Generations } from "./generations.ts";

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

export interface HoldBounds {
  readonly holdMs: number;
  readonly maxHeld: number;
  /** How long what follows a response has its moment, in ms. */
  readonly lingerMs: number;
}

/** Holds new requests until those under way have ended, and what they left behind has had its moment. False at a bound. */
export function untilEnded(hold: Hold, generations: Pick<Generations, "whenEnded">, { holdMs, maxHeld, lingerMs }: HoldBounds): Promise<boolean> {
  return new Promise((resolve) => {
    let linger: NodeJS.Timeout | undefined;
    const end = (isEnded: boolean): void => {
      clearTimeout(bound);
      clearTimeout(linger);
      stop();
      resolve(isEnded);
    };
    const bound = setTimeout(() => end(false), holdMs).unref();
    let stop = (): void => undefined;
    hold.start(maxHeld, () => end(false));
    stop = generations.whenEnded(() => (linger = setTimeout(() => end(true), lingerMs).unref()));
  });
}

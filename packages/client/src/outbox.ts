import { bytesOf, maxMessageBytes } from "./frames.ts";

/** What became of a message that was handed in: it has its id and is kept until it is acknowledged, or it was not taken. */
export type Sent =
  | { readonly kind: "queued"; readonly n: number }
  | { readonly kind: "refused"; readonly why: "too-large" | "full" | "ended" };

export interface OutboxLimits {
  readonly maxMessages: number;
  readonly maxBytes: number;
}

/** Messages that are not acknowledged yet, in the order of their ids. Bounded: what does not fit is refused, never dropped. */
export class Outbox {
  readonly #limits: OutboxLimits;
  readonly #messages = new Map<number, { readonly data: string; readonly bytes: number }>();
  #bytes = 0;
  #next = 1;

  constructor(limits: OutboxLimits) {
    this.#limits = limits;
  }

  get size(): number {
    return this.#messages.size;
  }

  /** The id of the oldest message that is kept; without one, the next id. */
  get first(): number {
    return this.#next - this.#messages.size;
  }

  add(data: string): Sent {
    const bytes = bytesOf(data);
    if (bytes > maxMessageBytes) return { kind: "refused", why: "too-large" };
    if (this.#messages.size >= this.#limits.maxMessages || this.#bytes + bytes > this.#limits.maxBytes) return { kind: "refused", why: "full" };
    const n = this.#next;
    this.#next += 1;
    this.#messages.set(n, { data, bytes });
    this.#bytes += bytes;
    return { kind: "queued", n };
  }

  /** Lets go of all up to `n`. `false`: nothing with that id was ever sent, so the other side speaks of something else. */
  acknowledge(n: number): boolean {
    if (n >= this.#next) return false;
    for (let id = this.first; id <= n; id++) {
      this.#bytes -= this.#messages.get(id)?.bytes ?? 0;
      this.#messages.delete(id);
    }
    return true;
  }

  *[Symbol.iterator](): Generator<{ readonly n: number; readonly data: string }> {
    for (const [n, { data }] of this.#messages) yield { n, data };
  }
}

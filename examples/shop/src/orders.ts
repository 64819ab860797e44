import { randomBytes } from "node:crypto";
import type { Quote } from "./pricing.ts";

export interface Order {
  readonly id: string;
  readonly number: number;
  readonly customer: string;
  readonly placedAt: string;
  readonly quote: Quote;
}

/**
 * Numbers and keeps orders. An id never repeats: the letters are drawn anew for
 * each process, the number counts up within it.
 */
export class OrderBook {
  readonly prefix = randomBytes(4).toString("hex");
  #count = 0;
  #orders = new Map<string, Order>();
  readonly #kept: number;

  constructor(kept = 10_000) {
    this.#kept = kept;
  }

  get count(): number {
    return this.#count;
  }

  place(customer: string, quote: Quote): Order {
    this.#count += 1;
    const order: Order = {
      id: orderId(this.prefix, this.#count),
      number: this.#count,
      customer,
      placedAt: new Date().toISOString(),
      quote,
    };
    this.#orders.set(order.id, order);
    this.#forgetOldest();
    return order;
  }

  find(id: string): Order | undefined {
    return this.#orders.get(id);
  }

  #forgetOldest(): void {
    if (this.#orders.size <= this.#kept) return;
    const oldest = this.#orders.keys().next();
    if (oldest.done !== true) this.#orders.delete(oldest.value);
  }
}

function orderId(prefix: string, count: number): string {
  return `${prefix}-${String(count).padStart(6, "0")}`;
}

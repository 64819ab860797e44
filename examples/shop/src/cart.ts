export interface CartLine {
  readonly sku: string;
  readonly quantity: number;
  readonly gift: boolean;
}

/** A customer cannot put more pieces of one thing into a cart. */
export const MAX_QUANTITY = 99;

/** One customer's cart. */
export class Cart {
  readonly openedAt = Date.now();
  #lines = new Map<string, CartLine>();
  #additions = 0;

  add(sku: string, quantity: number, gift: boolean): void {
    const present = this.#lines.get(sku);
    const wanted = (present?.quantity ?? 0) + quantity;
    this.#lines.set(sku, { sku, quantity: Math.min(wanted, MAX_QUANTITY), gift: gift || (present?.gift ?? false) });
    this.#additions += 1;
  }

  get lines(): CartLine[] {
    return [...this.#lines.values()];
  }

  /** How often something was put into this cart since it was opened. */
  get additions(): number {
    return this.#additions;
  }

  get pieces(): number {
    return this.lines.reduce((sum, line) => sum + line.quantity, 0);
  }

  /** Hands out all lines and empties the cart in one go, so that two checkouts cannot sell them twice. */
  take(): CartLine[] {
    const taken = this.lines;
    this.#lines.clear();
    return taken;
  }
}

/** All carts of this process, by customer. The oldest cart is forgotten when there are too many. */
export class CartStore {
  #carts = new Map<string, Cart>();
  readonly #limit: number;

  constructor(limit = 100_000) {
    this.#limit = limit;
  }

  get size(): number {
    return this.#carts.size;
  }

  find(id: string): Cart | undefined {
    return this.#carts.get(id);
  }

  open(id: string): Cart {
    const present = this.#carts.get(id);
    if (present !== undefined) return present;
    const cart = new Cart();
    this.#carts.set(id, cart);
    this.#forgetOldest();
    return cart;
  }

  #forgetOldest(): void {
    if (this.#carts.size <= this.#limit) return;
    const oldest = this.#carts.keys().next();
    if (oldest.done !== true) this.#carts.delete(oldest.value);
  }
}

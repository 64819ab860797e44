import { EventEmitter } from "node:events";
import { PRODUCTS } from "./catalogue.ts";

export const RESTOCK_EVERY_MS = 1000;
export const SHELF_SIZE = 40;

export interface StockChange {
  /** Counts up by one with each change in this process. */
  readonly id: number;
  readonly sku: string;
  readonly level: number;
}

/** What lies on the shelves. Emits `change` with a `StockChange`. */
export class Warehouse extends EventEmitter {
  #levels = new Map<string, number>();
  #changes = 0;

  constructor() {
    super();
    this.setMaxListeners(0);
  }

  get changes(): number {
    return this.#changes;
  }

  levelOf(sku: string): number {
    return this.#levels.get(sku) ?? SHELF_SIZE;
  }

  /** Takes what there is and says how much that was; the rest is sent later. */
  take(sku: string, quantity: number): number {
    const taken = Math.min(quantity, this.levelOf(sku));
    if (taken > 0) this.#set(sku, this.levelOf(sku) - taken);
    return taken;
  }

  put(sku: string, quantity: number): void {
    this.#set(sku, Math.min(this.levelOf(sku) + quantity, SHELF_SIZE));
  }

  #set(sku: string, level: number): void {
    this.#levels.set(sku, level);
    this.#changes += 1;
    const change: StockChange = { id: this.#changes, sku, level };
    this.emit("change", change);
  }
}

/** A van comes by every second. Returns the way to send it home. */
export function startRestocking(warehouse: Warehouse, everyMs: number = RESTOCK_EVERY_MS): () => void {
  let round = 0;
  const timer = setInterval(() => {
    round += 1;
    restock(warehouse, round);
  }, everyMs);
  timer.unref();
  return () => clearInterval(timer);
}

/** Each round brings some of one product, in turn; a full shelf stays full, which is a change too. */
export function restock(warehouse: Warehouse, round: number): void {
  const product = PRODUCTS[round % PRODUCTS.length];
  if (product !== undefined) warehouse.put(product.sku, deliverySize(warehouse.levelOf(product.sku)));
}

function deliverySize(level: number): number {
  return level < SHELF_SIZE / 2 ? 12 : 4;
}

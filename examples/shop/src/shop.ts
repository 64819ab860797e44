import { CartStore } from "./cart.ts";
import { OrderBook } from "./orders.ts";
import { PaymentGateway } from "./payment.ts";
import { Warehouse } from "./stock.ts";

/** Everything the running shop remembers. A restart would lose all of it. */
export interface Shop {
  readonly carts: CartStore;
  readonly orders: OrderBook;
  readonly warehouse: Warehouse;
  readonly payments: PaymentGateway;
  readonly startedAt: Date;
  requests: number;
  draining: boolean;
}

export interface ShopOptions {
  /** How long the bank takes to answer, in milliseconds. Default: 15. */
  readonly paymentMs?: number;
}

export function createShop(options: ShopOptions = {}): Shop {
  return {
    carts: new CartStore(),
    orders: new OrderBook(),
    warehouse: new Warehouse(),
    payments: new PaymentGateway(options.paymentMs ?? 15),
    startedAt: new Date(),
    requests: 0,
    draining: false,
  };
}

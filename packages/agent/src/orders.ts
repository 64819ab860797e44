import type { Digest, Envelope, ErrorCode, ReleaseId } from "@midflight/protocol";
import type { Floor } from "./floor.ts";
import type { Inbox, Order } from "./inbox.ts";
import { judgeAssign } from "./judge.ts";

export interface Refusal {
  readonly code: ErrorCode;
  readonly reason: string;
  readonly unit: string | null;
}

export type Choice =
  /** There is nothing that was not dealt with. */
  | { readonly kind: "none" }
  /** The newest order names what is live already. */
  | { readonly kind: "keep" }
  | { readonly kind: "follow"; readonly order: Order };

export interface OrdersOptions {
  readonly inbox: Inbox;
  readonly floor: Floor;
  readonly now: () => number;
  readonly onRefused: (order: Order, refusal: Refusal) => void;
  readonly onTrouble: (where: string, problem: unknown) => void;
}

/** Picks, from the newest order, what there is to do: each order once, and nothing that may not be obeyed. */
export class Orders {
  readonly #options: OrdersOptions;
  #taken: Digest | null = null;
  /** An order whose way is not published yet, and the way that was not enough. */
  #waiting: { readonly id: Digest; readonly way: Envelope | null } | null = null;
  #refused: { readonly release: ReleaseId; readonly refusal: Refusal } | null = null;
  #counter = 0;

  constructor(options: OrdersOptions) {
    this.#options = options;
  }

  /** Counter of the newest assign that was dealt with. */
  get counter(): number {
    return this.#counter;
  }

  /** @param live the release that runs now */
  async next(live: ReleaseId): Promise<Choice> {
    const { inbox, floor, now, onTrouble } = this.#options;
    const order = inbox.newest;
    if (order === null) return { kind: "none" };
    const { release, cause } = order.assign;
    if (order.id === this.#taken) {
      const way = inbox.findTransition(release);
      if (this.#waiting?.id !== order.id || way === null || way.payload === this.#waiting.way?.payload) return { kind: "none" };
      this.#waiting = null;
      return { kind: "follow", order };
    }
    this.#taken = order.id;
    this.#waiting = null;
    const judgement = judgeAssign(order.assign, floor.state, now());
    if (judgement.kind === "refused") {
      this.#settle(order, { code: judgement.code, reason: judgement.reason, unit: null });
      return { kind: "none" };
    }
    if (this.#refused !== null && this.#refused.release === release && cause !== "retry") {
      this.#settle(order, this.#refused.refusal);
      return { kind: "none" };
    }
    this.#refused = null;
    try {
      if (cause === "retry") await floor.forgetReverted(release);
      if (release !== live) return { kind: "follow", order };
      await floor.raise(order.assign);
    } catch (problem) {
      onTrouble("floor", problem);
    }
    this.done(order);
    return { kind: "keep" };
  }

  /** The order was carried out. */
  done(order: Order): void {
    this.#counter = Math.max(this.#counter, order.assign.counter);
  }

  /**
   * The order cannot be carried out; its release stays refused until an assign says retry or names another one.
   * For want of a way it is given again as soon as the log shows another way than `way`, the one that was tried.
   */
  refuse(order: Order, refusal: Refusal, way: Envelope | null): void {
    if (refusal.code === "TRANSITION_MISSING") this.#waiting = { id: order.id, way };
    else this.#refused = { release: order.assign.release, refusal };
    this.#settle(order, refusal);
  }

  /** Nothing came of it: `next` gives the order again. */
  putBack(): void {
    this.#taken = null;
  }

  #settle(order: Order, refusal: Refusal): void {
    this.done(order);
    this.#options.onRefused(order, refusal);
  }
}

import { setTimeout as delay } from "node:timers/promises";

export interface Authorisation {
  readonly code: string;
  readonly amountCents: number;
}

/** Stands for the bank: takes a moment, and always says yes. */
export class PaymentGateway {
  readonly #answerMs: number;
  #authorised = 0;

  constructor(answerMs: number) {
    this.#answerMs = answerMs;
  }

  async authorise(amountCents: number): Promise<Authorisation> {
    await delay(this.#answerMs);
    this.#authorised += 1;
    return { code: `auth-${this.#authorised}`, amountCents };
  }
}

import type { QuoteOptions } from "./pricing.ts";

export interface CustomerParams {
  readonly id: string;
}

export const customerParams = {
  type: "object",
  properties: { id: { type: "string", pattern: "^[A-Za-z0-9_-]{1,64}$" } },
};

/** What a customer may say about how to price the cart. */
export interface Terms {
  readonly coupon?: string;
  readonly country?: string;
}

export const termsQuery = {
  type: "object",
  properties: {
    coupon: { type: "string", maxLength: 20 },
    country: { type: "string", pattern: "^[A-Z]{2}$" },
  },
};

export function termsOf(terms: Terms): QuoteOptions {
  return { coupon: terms.coupon ?? null, country: terms.country ?? "DE" };
}

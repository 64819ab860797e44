import { percentOf } from "./money.ts";
import type { Product } from "./catalogue.ts";

/** Sales by kind of product, in percent. */
export const SALES: Readonly<Record<Product["kind"], number>> = {
  coffee: 0,
  tea: 10,
  ware: 0,
};

export const COUPONS: readonly { readonly code: string; readonly percent: number; readonly fromCents: number }[] = [
  { code: "WELCOME", percent: 5, fromCents: 0 },
  { code: "BIGBREW", percent: 12, fromCents: 5000 },
];

export function discountRevision(): string {
  return "1";
}

export function saleCents(product: Product): number {
  return percentOf(product.listCents, SALES[product.kind]);
}

/** Three or more of the same thing: a tenth off that line. */
export function bulkDiscountCents(lineCents: number, quantity: number): number {
  return quantity >= 3 ? percentOf(lineCents, 10) : 0;
}

/** An unknown coupon, or one for a larger cart, takes nothing off. */
export function couponDiscountCents(code: string | null, subtotalCents: number): number {
  const coupon = COUPONS.find((candidate) => candidate.code === code);
  if (coupon === undefined || subtotalCents < coupon.fromCents) return 0;
  return percentOf(subtotalCents, coupon.percent);
}

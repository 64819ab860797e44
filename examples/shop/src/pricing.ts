import { findProduct } from "./catalogue.ts";
import { bulkDiscountCents, couponDiscountCents, discountRevision, saleCents } from "./discounts.ts";
import { formatMoney, moneyRevision } from "./money.ts";
import { includedTaxCents, taxRevision } from "./legacy/tax-table.cjs";
import type { CartLine } from "./cart.ts";

/** Shipping by the value of the cart: the first row that the cart reaches counts. */
export const SHIPPING: readonly { readonly fromCents: number; readonly cents: number }[] = [
  { fromCents: 5000, cents: 0 },
  { fromCents: 2000, cents: 290 },
  { fromCents: 0, cents: 490 },
];

export interface QuoteLine {
  readonly sku: string;
  readonly name: string;
  readonly quantity: number;
  readonly gift: boolean;
  readonly unitCents: number;
  readonly totalCents: number;
  readonly total: string;
}

/** Which edition of each rule made a price; every quote carries it, as an auditor would ask. */
export interface Revisions {
  readonly pricing: string;
  readonly discounts: string;
  readonly money: string;
  readonly tax: string;
}

export interface Quote {
  readonly lines: readonly QuoteLine[];
  readonly subtotalCents: number;
  readonly discountCents: number;
  readonly surchargeCents: number;
  readonly shippingCents: number;
  readonly totalCents: number;
  readonly includedTaxCents: number;
  readonly total: string;
  readonly revisions: Revisions;
}

export interface QuoteOptions {
  readonly coupon: string | null;
  readonly country: string;
}

export function pricingRevision(): string {
  return "1";
}

export function revisions(): Revisions {
  return { pricing: pricingRevision(), discounts: discountRevision(), money: moneyRevision(), tax: taxRevision() };
}

/** Price of one piece in cents, sales taken off. An unknown sku costs nothing and cannot reach a cart. */
export function priceOf(sku: string): number {
  const product = findProduct(sku);
  return product === undefined ? 0 : product.listCents - saleCents(product);
}

export function quoteCart(cart: readonly CartLine[], options: QuoteOptions): Quote {
  const lines = cart.map(quoteLine);
  const subtotalCents = lines.reduce((sum, line) => sum + line.totalCents, 0);
  const discountCents = couponDiscountCents(options.coupon, subtotalCents);
  const surcharges = surchargeCents(cart);
  const shippingCents = shippingFor(subtotalCents - discountCents);
  const totalCents = subtotalCents - discountCents + surcharges + shippingCents;
  return {
    lines,
    subtotalCents,
    discountCents,
    surchargeCents: surcharges,
    shippingCents,
    totalCents,
    includedTaxCents: includedTaxCents(totalCents, options.country),
    total: formatMoney(totalCents),
    revisions: revisions(),
  };
}

function quoteLine(line: CartLine): QuoteLine {
  const unitCents = priceOf(line.sku);
  const grossCents = unitCents * line.quantity;
  const totalCents = grossCents - bulkDiscountCents(grossCents, line.quantity);
  return {
    sku: line.sku,
    name: findProduct(line.sku)?.name ?? line.sku,
    quantity: line.quantity,
    gift: line.gift,
    unitCents,
    totalCents,
    total: formatMoney(totalCents),
  };
}

/** Extras on top of the goods. Gift wrap is still on the house. */
function surchargeCents(_cart: readonly CartLine[]): number {
  return 0;
}

function shippingFor(goodsCents: number): number {
  if (goodsCents === 0) return 0;
  return SHIPPING.find((row) => goodsCents >= row.fromCents)?.cents ?? 0;
}

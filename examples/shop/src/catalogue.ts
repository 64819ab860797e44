import { priceOf } from "./pricing.ts";
import { formatMoney } from "./money.ts";
import type { Warehouse } from "./stock.ts";

export interface Product {
  readonly sku: string;
  readonly name: string;
  readonly blurb: string;
  readonly kind: "coffee" | "tea" | "ware";
  readonly listCents: number;
  readonly emoji: string;
}

/** What the front page and the API show of a product. */
export interface ProductCard {
  readonly sku: string;
  readonly name: string;
  readonly blurb: string;
  readonly kind: Product["kind"];
  readonly emoji: string;
  readonly priceCents: number;
  readonly price: string;
  /** The former price, when there is a sale on. */
  readonly was: string | null;
  readonly stock: number;
  readonly availability: string;
}

export const PRODUCTS: readonly Product[] = [
  { sku: "ethiopia", name: "Ethiopia Guji", blurb: "Washed, blueberry and jasmine. 250 g", kind: "coffee", listCents: 1490, emoji: "☕" },
  { sku: "colombia", name: "Colombia Huila", blurb: "Caramel, red apple, round. 250 g", kind: "coffee", listCents: 1290, emoji: "☕" },
  { sku: "house", name: "House Espresso", blurb: "Dark chocolate and hazelnut. 1 kg", kind: "coffee", listCents: 2890, emoji: "🫘" },
  { sku: "decaf", name: "Night Shift Decaf", blurb: "Sugar-cane process, all the taste. 250 g", kind: "coffee", listCents: 1390, emoji: "🌙" },
  { sku: "sencha", name: "Sencha Uji", blurb: "Steamed, grassy, second harvest. 100 g", kind: "tea", listCents: 1180, emoji: "🍵" },
  { sku: "assam", name: "Assam Breakfast", blurb: "Malty, takes milk well. 125 g", kind: "tea", listCents: 790, emoji: "🫖" },
  { sku: "oolong", name: "Tie Guan Yin", blurb: "Rolled oolong, orchid. 100 g", kind: "tea", listCents: 1650, emoji: "🍃" },
  { sku: "rooibos", name: "Rooibos Orange", blurb: "No caffeine, all comfort. 125 g", kind: "tea", listCents: 690, emoji: "🍊" },
  { sku: "mug", name: "Stoneware Mug", blurb: "Hand-thrown, 300 ml", kind: "ware", listCents: 1800, emoji: "🏺" },
  { sku: "dripper", name: "Pour-over Dripper", blurb: "Ceramic, for one or two cups", kind: "ware", listCents: 2450, emoji: "💧" },
  { sku: "grinder", name: "Hand Grinder", blurb: "Steel burrs, 36 clicks", kind: "ware", listCents: 8900, emoji: "⚙️" },
  { sku: "kettle", name: "Gooseneck Kettle", blurb: "0.9 l, to the degree", kind: "ware", listCents: 11900, emoji: "♨️" },
];

export function findProduct(sku: string): Product | undefined {
  return PRODUCTS.find((product) => product.sku === sku);
}

export function listCards(warehouse: Warehouse): ProductCard[] {
  return PRODUCTS.map((product) => toCard(product, warehouse));
}

export function toCard(product: Product, warehouse: Warehouse): ProductCard {
  const priceCents = priceOf(product.sku);
  const stock = warehouse.levelOf(product.sku);
  return {
    sku: product.sku,
    name: product.name,
    blurb: product.blurb,
    kind: product.kind,
    emoji: product.emoji,
    priceCents,
    price: formatMoney(priceCents),
    was: priceCents < product.listCents ? formatMoney(product.listCents) : null,
    stock,
    availability: describeStock(stock),
  };
}

export function describeStock(level: number): string {
  if (level === 0) return "back in a moment";
  return level <= 5 ? `only ${level} left` : `${level} in stock`;
}

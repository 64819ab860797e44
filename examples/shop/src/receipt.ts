import { formatMoney } from "./money.ts";
import type { Order } from "./orders.ts";
import type { QuoteLine } from "./pricing.ts";

/** The receipt as plain text, one string per printed row. */
export function writeReceipt(order: Order): string[] {
  const { quote } = order;
  return [
    `Order ${order.id}`,
    ...quote.lines.map(receiptRow),
    ...amountRow("Discount", -quote.discountCents),
    ...amountRow("Extras", quote.surchargeCents),
    ...amountRow("Shipping", quote.shippingCents),
    `Total ${quote.total} (incl. ${formatMoney(quote.includedTaxCents)} VAT)`,
    thanks(),
  ];
}

function receiptRow(line: QuoteLine): string {
  return `${line.quantity} × ${line.name} ${line.total}${line.gift ? " (gift)" : ""}`;
}

function amountRow(label: string, cents: number): string[] {
  return cents === 0 ? [] : [`${label} ${formatMoney(cents)}`];
}

function thanks(): string {
  return "Thank you, and enjoy.";
}

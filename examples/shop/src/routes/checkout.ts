import type { FastifyInstance } from "fastify";
import { type CustomerParams, type Terms, customerParams, termsOf, termsQuery } from "../customer.ts";
import { quoteCart, revisions } from "../pricing.ts";
import { writeReceipt } from "../receipt.ts";
import type { Shop } from "../shop.ts";

export async function checkoutRoutes(app: FastifyInstance, { shop }: { shop: Shop }): Promise<void> {
  const { carts, orders, payments, warehouse } = shop;

  app.post<{ Params: CustomerParams; Querystring: Terms }>(
    "/api/cart/:id/checkout",
    { schema: { params: customerParams, querystring: termsQuery } },
    async (request, reply) => {
      const lines = carts.find(request.params.id)?.take() ?? [];
      if (lines.length === 0) return reply.code(409).send({ error: "the cart is empty" });

      const quote = quoteCart(lines, termsOf(request.query));
      const payment = await payments.authorise(quote.totalCents);
      const laterPieces = lines.reduce((sum, line) => sum + line.quantity - warehouse.take(line.sku, line.quantity), 0);
      const order = orders.place(request.params.id, quote);
      return reply.code(201).send({
        order: order.id,
        number: order.number,
        payment: payment.code,
        laterPieces,
        totalCents: quote.totalCents,
        receipt: writeReceipt(order),
        // The rules before the bank answered, and after: one order, one set of rules.
        revisions: quote.revisions,
        receiptRevisions: revisions(),
      });
    },
  );

  app.get<{ Params: { order: string } }>("/api/orders/:order", async (request, reply) => {
    const order = orders.find(request.params.order);
    return order ?? reply.code(404).send({ error: "no such order" });
  });
}

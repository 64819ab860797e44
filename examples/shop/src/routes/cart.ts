import type { FastifyInstance } from "fastify";
import { MAX_QUANTITY } from "../cart.ts";
import { findProduct } from "../catalogue.ts";
import { quoteCart } from "../pricing.ts";
import { type CustomerParams, type Terms, customerParams, termsOf, termsQuery } from "../customer.ts";
import type { Shop } from "../shop.ts";

interface NewItem {
  readonly sku: string;
  readonly quantity: number;
  readonly gift: boolean;
}

const newItem = {
  type: "object",
  required: ["sku"],
  additionalProperties: false,
  properties: {
    sku: { type: "string", maxLength: 40 },
    quantity: { type: "integer", minimum: 1, maximum: MAX_QUANTITY, default: 1 },
    gift: { type: "boolean", default: false },
  },
};

export async function cartRoutes(app: FastifyInstance, { shop }: { shop: Shop }): Promise<void> {
  const { carts } = shop;
  let added = 0;

  app.post<{ Params: CustomerParams; Body: NewItem }>(
    "/api/cart/:id/items",
    { schema: { params: customerParams, body: newItem } },
    async (request, reply) => {
      const { sku, quantity, gift } = request.body;
      if (findProduct(sku) === undefined) return reply.code(404).send({ error: "no such product" });
      const cart = carts.open(request.params.id);
      cart.add(sku, quantity, gift);
      added += 1;
      return reply.code(201).send({ id: request.params.id, pieces: cart.pieces, additions: cart.additions, addedToday: added });
    },
  );

  app.get<{ Params: CustomerParams; Querystring: Terms }>(
    "/api/cart/:id",
    { schema: { params: customerParams, querystring: termsQuery } },
    async (request) => {
      const cart = carts.find(request.params.id);
      const quote = quoteCart(cart?.lines ?? [], termsOf(request.query));
      return { id: request.params.id, pieces: cart?.pieces ?? 0, additions: cart?.additions ?? 0, ...quote };
    },
  );
}

import type { FastifyInstance } from "fastify";
import { findProduct, listCards, toCard } from "../catalogue.ts";
import { revisions } from "../pricing.ts";
import type { Shop } from "../shop.ts";

export async function catalogueRoutes(app: FastifyInstance, { shop }: { shop: Shop }): Promise<void> {
  app.get("/api/products", async () => {
    const products = listCards(shop.warehouse);
    return { products, revisions: revisions() };
  });

  app.get<{ Params: { sku: string } }>("/api/products/:sku", async (request, reply) => {
    const product = findProduct(request.params.sku);
    if (product === undefined) return reply.code(404).send({ error: "no such product" });
    return toCard(product, shop.warehouse);
  });
}

import type { FastifyInstance } from "fastify";
import { revisions } from "../pricing.ts";
import type { Shop } from "../shop.ts";

export const SHOP_VERSION = "1.0.0";

export async function healthRoutes(app: FastifyInstance, { shop }: { shop: Shop }): Promise<void> {
  app.get("/livez", async () => ({ status: "ok" }));

  app.get("/readyz", async (_request, reply) => {
    if (shop.draining) return reply.code(503).send({ status: "draining" });
    return { status: "ready" };
  });

  app.get("/api/about", async () => ({
    name: "shop",
    version: SHOP_VERSION,
    pid: process.pid,
    startedAt: shop.startedAt.toISOString(),
    uptimeSeconds: Math.round((Date.now() - shop.startedAt.getTime()) / 1000),
    requests: shop.requests,
    carts: shop.carts.size,
    orders: shop.orders.count,
    orderPrefix: shop.orders.prefix,
    stockChanges: shop.warehouse.changes,
    node: process.versions.node,
    fastify: app.version,
    revisions: revisions(),
  }));
}

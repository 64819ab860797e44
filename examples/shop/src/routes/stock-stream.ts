import type { FastifyInstance } from "fastify";
import { describeStock } from "../catalogue.ts";
import type { Shop } from "../shop.ts";
import type { StockChange } from "../stock.ts";

/** A browser that reads slower than this much piles up is let go; it comes back by itself. */
const MAX_UNREAD_BYTES = 256 * 1024;

/** Server-sent events: one `stock` event per change, ids counting up. */
export async function stockStreamRoutes(app: FastifyInstance, { shop }: { shop: Shop }): Promise<void> {
  const { warehouse } = shop;
  const goodbyes = new Set<() => void>();

  app.get("/api/stock/stream", (request, reply) => {
    reply.hijack();
    const response = reply.raw;
    response.writeHead(200, { "content-type": "text/event-stream", "cache-control": "no-store", connection: "keep-alive" });
    response.write(`retry: 1000\n: ${warehouse.changes} changes so far\n\n`);

    const send = (change: StockChange): void => {
      response.write(stockEvent(change));
      if (response.writableLength > MAX_UNREAD_BYTES) response.destroy();
    };
    const goodbye = (): void => {
      response.end();
    };
    warehouse.on("change", send);
    goodbyes.add(goodbye);
    request.raw.on("close", () => {
      warehouse.off("change", send);
      goodbyes.delete(goodbye);
    });
  });

  app.addHook("preClose", async () => {
    for (const goodbye of goodbyes) goodbye();
  });
}

export function stockEvent(change: StockChange): string {
  const data = { sku: change.sku, level: change.level, availability: describeStock(change.level) };
  return `id: ${change.id}\nevent: stock\ndata: ${JSON.stringify(data)}\n\n`;
}

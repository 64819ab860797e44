import type { FastifyInstance } from "fastify";
import { listCards } from "../catalogue.ts";
import { renderFrontPage } from "../page/front-page.ts";
import { clientScript } from "../page/client-script.ts";
import { styleSheet } from "../page/style-sheet.ts";
import type { Shop } from "../shop.ts";

export async function frontPageRoutes(app: FastifyInstance, { shop }: { shop: Shop }): Promise<void> {
  app.get("/", async (_request, reply) => {
    reply.headers({ "content-type": "text/html; charset=utf-8", "content-security-policy": "default-src 'self'" });
    return renderFrontPage(listCards(shop.warehouse), shop.startedAt);
  });

  app.get("/shop.css", async (_request, reply) => {
    reply.headers({ "content-type": "text/css; charset=utf-8", "cache-control": "no-cache" });
    return styleSheet();
  });

  app.get("/shop.js", async (_request, reply) => {
    reply.headers({ "content-type": "text/javascript; charset=utf-8", "cache-control": "no-cache" });
    return clientScript();
  });
}

import fastify, { type FastifyInstance } from "fastify";
import { cartRoutes } from "./routes/cart.ts";
import { catalogueRoutes } from "./routes/catalogue.ts";
import { checkoutRoutes } from "./routes/checkout.ts";
import { frontPageRoutes } from "./routes/front-page.ts";
import { healthRoutes } from "./routes/health.ts";
import { stockStreamRoutes } from "./routes/stock-stream.ts";
import type { Shop } from "./shop.ts";
import { startRestocking } from "./stock.ts";

export interface AppOptions {
  readonly shop: Shop;
  /** Fastify's log level. Default: "warn". */
  readonly logLevel?: string;
}

/** The whole web application, not listening yet. */
export function buildApp(options: AppOptions): FastifyInstance {
  const { shop } = options;
  const app = fastify({
    logger: { level: options.logLevel ?? "warn" },
    // A shop that closes still serves whoever is inside.
    return503OnClosing: false,
  });

  app.addHook("onRequest", async () => {
    shop.requests += 1;
  });

  // A customer who is still inside at closing time gets the answer, and then the door shuts.
  app.addHook("onSend", async (_request, reply) => {
    if (shop.draining) reply.header("connection", "close");
  });

  let sendVanHome = (): void => {};
  app.addHook("onReady", async () => {
    sendVanHome = startRestocking(shop.warehouse);
  });
  app.addHook("preClose", async () => {
    shop.draining = true;
    sendVanHome();
  });

  app.register(frontPageRoutes, { shop });
  app.register(catalogueRoutes, { shop });
  app.register(cartRoutes, { shop });
  app.register(checkoutRoutes, { shop });
  app.register(stockStreamRoutes, { shop });
  app.register(healthRoutes, { shop });
  return app;
}

import { buildApp } from "./app.ts";
import { readSettings } from "./settings.ts";
import { createShop } from "./shop.ts";

async function openShop(): Promise<void> {
  const settings = readSettings(process.env);
  const shop = createShop({ paymentMs: settings.paymentMs });
  const app = buildApp({ shop, logLevel: settings.logLevel });

  let closing = false;
  const close = (): void => {
    if (closing) return;
    closing = true;
    void app.close();
  };
  process.on("SIGTERM", close);
  process.on("SIGINT", close);

  try {
    const url = await app.listen({ port: settings.port, host: settings.host });
    console.log(`shop open on ${url}`);
  } catch (error) {
    await app.close();
    throw error;
  }
}

try {
  await openShop();
} catch (error) {
  console.error(`shop cannot open: ${error instanceof Error ? error.message : String(error)}`);
  process.exitCode = 1;
}

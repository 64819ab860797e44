import { isConfigured } from "./environment.ts";

// `node --import @midflight/agent/register app.js`. Whatever happens in here, the app starts.
if (isConfigured()) {
  try {
    const { startProcessAgent } = await import("./start.ts");
    await startProcessAgent();
  } catch {
    // Told on the diagnostics channel, as far as that was loaded.
  }
}

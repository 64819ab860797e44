import { readProcessConfig } from "./config.ts";
import { tellProcess, tellTrouble } from "./signal.ts";

// `node --import @midflight/agent/register app.js`. Whatever happens in here, the app starts.
try {
  const config = readProcessConfig();
  if (config !== null) {
    const { start } = await import("./start.ts");
    await start(config);
  }
} catch (problem) {
  tellTrouble(tellProcess, "start", problem);
}

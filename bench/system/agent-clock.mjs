// Loaded into a measured app: writes down when its agent changes state, as lines of JSON in the app's log.
import { subscribe } from "node:diagnostics_channel";

subscribe("midflight:agent", (signal) => {
  const at = performance.timeOrigin + performance.now();
  if (signal.kind === "state") process.stdout.write(`${JSON.stringify({ event: "agent", at, state: signal.state })}\n`);
  else if (signal.kind === "outcome" && signal.outcome.kind !== "swapped") process.stdout.write(`${JSON.stringify({ event: "refused", at, ...signal })}\n`);
});

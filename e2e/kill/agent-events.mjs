// Loaded before the agent: prints what the agent says inside its process, and dies at the event that it is told.
import { subscribe } from "node:diagnostics_channel";
import { writeSync } from "node:fs";

const dieAt = Number(process.env["E2E_DIE_AT_EVENT"] ?? -1);
let at = 0;
subscribe("midflight:agent", (message) => {
  const { kind, state, counter, outcome } =
    /** @type {{ kind: string, state: string, counter: number, outcome: { kind: string, release: string, live?: string } }} */ (message);
  if (kind !== "state" && kind !== "outcome") return;
  writeSync(1, `agent ${at} ${kind === "state" ? state : `${outcome.kind} ${counter} ${outcome.release} ${outcome.live ?? ""}`}\n`);
  if (at === dieAt) process.kill(process.pid, "SIGKILL");
  at += 1;
});

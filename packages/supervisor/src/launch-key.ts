import { createHash } from "node:crypto";
import type { Service } from "./service.ts";

/** Tells whether a process was started in the way that the configuration asks for now. */
export function launchKeyOf({ run, env, agent, listen, listenBy }: Service): string {
  const passing = agent && listen.length === 0 ? [] : [agent, listen, listenBy];
  const facts = JSON.stringify([run, Object.entries(env).sort(([a], [b]) => (a < b ? -1 : 1)), ...passing]);
  return `sha256:${createHash("sha256").update(facts).digest("hex")}`;
}

import { createHash } from "node:crypto";
import type { Service } from "./service.ts";

/** Tells whether a process was started in the way that the configuration asks for now. */
export function launchKeyOf({ run, env }: Service): string {
  const facts = JSON.stringify([run, Object.entries(env).sort(([a], [b]) => (a < b ? -1 : 1))]);
  return `sha256:${createHash("sha256").update(facts).digest("hex")}`;
}

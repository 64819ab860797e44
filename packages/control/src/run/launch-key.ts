import type { ResolvedService } from "../config/resolved-config.ts";
import { sha256 } from "@midflight/trust";

/** Tells whether a process was started in the way that the configuration asks for now. */
export function launchKeyOf({ run, env }: ResolvedService): string {
  return sha256(JSON.stringify([run, Object.entries(env).sort(([a], [b]) => (a < b ? -1 : 1))]));
}

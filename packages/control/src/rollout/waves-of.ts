import type { Waves } from "@midflight/publisher";
import type { ResolvedConfig } from "../config/resolved-config.ts";
import { expectedTargets } from "../operation/fleet.ts";

/** What a publish is to say of waves; nothing where all processes are reached at once. */
export function wavesOf(config: ResolvedConfig): { readonly waves?: Waves } {
  const { steps, bakeMs } = config.rollout;
  return steps.length < 2 ? {} : { waves: { steps, bakeMs, names: [...expectedTargets(config).keys()] } };
}

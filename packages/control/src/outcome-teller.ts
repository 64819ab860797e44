import type { Assign, Registry } from "@midflight/protocol";
import type { ResolvedConfig } from "./config/resolved-config.ts";
import type { Listen } from "./event.ts";

export interface OutcomeTellerOptions {
  readonly registry: Registry;
  readonly config: ResolvedConfig;
  readonly listen: Listen;
  /** Another process has taken the place of this one: what it could not do is told by the replacement. */
  readonly wasReplaced: (pid: number) => boolean;
  /** A process ran the release and took it back. */
  readonly onReverted: (target: string, assign: Assign, reason: string) => Promise<void>;
}

/** Tells what became of the assigns that are followed now in each process, once each. */
export function openOutcomeTeller({ registry, config, listen, wasReplaced, onReverted }: OutcomeTellerOptions): { tell(assigns: readonly Assign[]): Promise<void> } {
  /** Ids of reports, by counter of the assign that they speak of. */
  let told: Map<number, Set<string>> | null = null;
  return {
    tell: async (assigns) => {
      const before: typeof told = told;
      told = new Map();
      for (const assign of assigns) {
        const { counter, number } = assign;
        const known = before?.get(counter) ?? new Set<string>();
        told.set(counter, known);
        for (const { id, from, outcome } of await registry.reports({ channel: config.channelName, counter })) {
          if (known.has(id)) continue;
          known.add(id);
          // What happened before control started is history, not news.
          if (before === null || (outcome.kind === "refused" && wasReplaced(from.pid))) continue;
          if (outcome.kind === "swapped") listen({ kind: "process-confirmed", target: from.target, number, pauseMs: outcome.pauseMs });
          else listen({ kind: "process-refused", target: from.target, number, code: outcome.code, reason: outcome.reason, isReverted: outcome.kind === "reverted" });
          if (outcome.kind === "reverted") await onReverted(from.target, assign, outcome.reason);
        }
      }
    },
  };
}

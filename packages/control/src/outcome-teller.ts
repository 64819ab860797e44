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

/** Tells what became of the newest assign in each process, once each. */
export function openOutcomeTeller({ registry, config, listen, wasReplaced, onReverted }: OutcomeTellerOptions): { tell(assign: Assign): Promise<void> } {
  const told = new Set<string>();
  let counter: number | null = null;
  return {
    tell: async (assign) => {
      if (assign.counter !== counter) {
        const isFirst = counter === null;
        counter = assign.counter;
        told.clear();
        // What happened before control started is history, not news.
        if (isFirst) for (const report of await registry.reports({ channel: config.channelName, counter })) told.add(report.id);
      }
      for (const { id, from, outcome } of await registry.reports({ channel: config.channelName, counter })) {
        if (told.has(id)) continue;
        told.add(id);
        if (outcome.kind === "refused" && wasReplaced(from.pid)) continue;
        const { number } = assign;
        if (outcome.kind === "swapped") listen({ kind: "process-confirmed", target: from.target, number, pauseMs: outcome.pauseMs });
        else listen({ kind: "process-refused", target: from.target, number, code: outcome.code, reason: outcome.reason, isReverted: outcome.kind === "reverted" });
        if (outcome.kind === "reverted") await onReverted(from.target, assign, outcome.reason);
      }
    },
  };
}

import { targetsOf, type ResolvedConfig } from "./config/resolved-config.ts";
import type { Listen } from "./event.ts";
import type { Layout } from "./project/layout.ts";
import { adopt } from "./run/child.ts";
import { launchKeyOf } from "./run/launch-key.ts";
import { isRunning } from "./run/process-identity.ts";
import { readProcessRecords, type ProcessRecord } from "./run/process-table.ts";

const endWithinMs = 10_000;

/**
 * Processes that an earlier control started and that outlived it. Those that still have a place are given back to be
 * adopted; the others are ended. A process is ours only if number and start time are those that were recorded.
 * @param canBeAdopted false if the registry moved, so that their agents cannot find it again
 */
export async function settleOrphans(config: ResolvedConfig, layout: Layout, canBeAdopted: boolean, listen: Listen): Promise<ReadonlyMap<string, ProcessRecord>> {
  const wanted = new Map(config.services.flatMap((service) => targetsOf(service).map((target) => [target, service] as const)));
  const adopted = new Map<string, ProcessRecord>();
  const ended: Promise<unknown>[] = [];
  for (const record of readProcessRecords(layout)) {
    if (record.identity === null || !isRunning(record.identity)) continue;
    const service = wanted.get(record.target);
    if (canBeAdopted && service !== undefined && launchKeyOf(service) === record.launchKey && record.release !== null && record.phase === "ready") {
      adopted.set(record.target, record);
      continue;
    }
    listen({ kind: "orphan-ended", target: record.target, pid: record.identity.pid });
    ended.push(adopt(record.identity).stop(service?.stopTimeoutMs ?? endWithinMs));
  }
  await Promise.all(ended);
  return adopted;
}

import { adopt, findLaunched, isRunning, launchKeyOf, readProcessRecords, type ProcessIdentity, type ProcessRecord } from "@midflight/supervisor";
import { targetsOf, type ResolvedConfig } from "./config/resolved-config.ts";
import type { Listen } from "./event.ts";
import type { Layout } from "./project/layout.ts";

const endWithinMs = 10_000;

/**
 * Processes that an earlier control started and that outlived it. Those that still have a place are given back to be
 * adopted; the others are ended. A process is ours only if number and start time are those that were recorded, or if its
 * environment says that it was launched for this project.
 * @param canBeAdopted false if the registry moved, so that their agents cannot find it again
 */
export async function settleOrphans(config: ResolvedConfig, layout: Layout, canBeAdopted: boolean, listen: Listen): Promise<ReadonlyMap<string, ProcessRecord>> {
  const wanted = new Map(config.services.flatMap((service) => targetsOf(service).map((target) => [target, service] as const)));
  const adopted = new Map<string, ProcessRecord>();
  const ended = new Map<number, Promise<unknown>>();
  const endOrphan = (target: string, identity: ProcessIdentity): void => {
    if (ended.has(identity.pid)) return;
    listen({ kind: "orphan-ended", target, pid: identity.pid });
    ended.set(identity.pid, adopt(identity).stop(wanted.get(target)?.stopTimeoutMs ?? endWithinMs));
  };
  for (const record of readProcessRecords(layout)) {
    if (record.identity === null || !isRunning(record.identity)) continue;
    const service = wanted.get(record.target);
    if (canBeAdopted && service !== undefined && launchKeyOf(service) === record.launchKey && record.release !== null && record.phase === "ready") {
      adopted.set(record.target, record);
      continue;
    }
    endOrphan(record.target, record.identity);
  }
  const adoptedPids = new Set([...adopted.values()].map((record) => record.identity?.pid));
  for (const { target, identity } of findLaunched(layout)) if (!adoptedPids.has(identity.pid)) endOrphan(target, identity);
  await Promise.all(ended.values());
  return adopted;
}

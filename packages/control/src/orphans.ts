import { adopt, adoptProcess, findLaunched, isRunning, launchKeyOf, readProcessRecords, retire, type Child, type Holder, type ProcessIdentity, type Running } from "@midflight/supervisor";
import { targetsOf, type ResolvedConfig, type ResolvedService } from "./config/resolved-config.ts";
import type { Listen } from "./event.ts";
import type { Layout } from "./project/layout.ts";

const endWithinMs = 10_000;

export interface Orphans {
  /** Those that go on, by target. */
  readonly adopted: ReadonlyMap<string, Running>;
  /** Settles when those that another one has taken over from are gone, too. */
  readonly gone: Promise<unknown>;
}

export interface OrphanOptions {
  readonly config: ResolvedConfig;
  readonly layout: Layout;
  readonly holder: Holder;
  /** False if the registry moved, so that their agents cannot find it again. */
  readonly canBeAdopted: boolean;
  readonly listen: Listen;
  /** Aborted when nobody can wait for what they have begun. */
  readonly isHurried: AbortSignal;
}

/**
 * Processes that an earlier control started and that outlived it. The one of each place is given back to be adopted; one
 * beside it, which a replacement was begun with, is drained; the others are ended. A process is ours only if number and
 * start time are those that were recorded, or if its environment says that it was launched for this project.
 */
export async function settleOrphans(options: OrphanOptions): Promise<Orphans> {
  const { config, layout, holder } = options;
  const wanted = new Map(config.services.flatMap((service) => targetsOf(service).map((target) => [target, service] as const)));
  const found = new Map<number, { readonly target: string; readonly identity: ProcessIdentity }>();
  const adopted = new Map<string, Running>();
  for (const record of readProcessRecords(layout)) {
    const { target, identity, leaving, release } = record;
    if (leaving !== null && isRunning(leaving)) found.set(leaving.pid, { target, identity: leaving });
    if (identity === null || !isRunning(identity)) continue;
    const service = wanted.get(target);
    const isServing = record.phase === "ready" || record.phase === "replacing";
    if (options.canBeAdopted && service !== undefined && launchKeyOf(service) === record.launchKey && release !== null && isServing) {
      adopted.set(target, adoptProcess(record, { release, number: record.number ?? 0, directory: layout.release(release) }, holder));
    } else found.set(identity.pid, { target, identity });
  }
  for (const one of findLaunched(layout)) found.set(one.identity.pid, one);
  for (const { child } of adopted.values()) found.delete(child.identity.pid);

  const [late, now]: [Promise<unknown>[], Promise<unknown>[]] = [[], []];
  for (const { target, identity } of found.values()) {
    options.listen({ kind: "orphan-ended", target, pid: identity.pid });
    const child = adopt(identity, holder.find(identity.pid));
    const heir = adopted.get(target) ?? null;
    const service = wanted.get(target);
    if (heir === null || service === undefined) now.push(child.stop(service?.stopTimeoutMs ?? endWithinMs));
    else late.push(leave(child, heir, service, options.isHurried));
  }
  await Promise.all(now);
  return { adopted, gone: Promise.all(late) };
}

/** Which of the two was to serve is written down; the other one may still answer what it has begun. */
async function leave(child: Child, heir: Running, service: ResolvedService, isHurried: AbortSignal): Promise<void> {
  heir.child.held?.say({ kind: "accept" });
  await retire({ child }, heir, service, isHurried);
}

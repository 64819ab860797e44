import type { Registry } from "@midflight/protocol";
import { isRolloutOpen, lockPublisher, readFolder, watchDirectory, type Batch, type PublishOutcome, type WatchedDirectory } from "@midflight/publisher";
import { asMidflightError } from "@midflight/supervisor";
import { isDevelopment, type ResolvedConfig } from "./config/resolved-config.ts";
import type { Listen } from "./event.ts";
import { readLive } from "./live-release.ts";
import { pause } from "./operation/pause.ts";
import type { Secrets } from "./project/secrets.ts";
import { layoutOf } from "./project/layout.ts";
import { scopeOf } from "./config/app-scope.ts";
import { type Publishing } from "./publishing.ts";
import { toRefusal } from "./refusal.ts";
import { wavesOf } from "./rollout/waves-of.ts";

export interface PublishLoopOptions {
  readonly config: ResolvedConfig;
  readonly publishing: Publishing;
  readonly registry: Registry;
  readonly secrets: Secrets;
  readonly listen: Listen;
  readonly isWatching: boolean;
}

const lookMs = 250;

/**
 * Publishes what the project holds now if nothing was ever published, or if it is watched; then, if watched, each
 * settled batch. A batch that cannot be published is told and forgotten: the next one is a whole tree again.
 * @throws MidflightError `PUBLISHER_ALREADY_RUNNING`; what the first publish throws, if there is no release to start from
 */
export async function openPublishLoop(options: PublishLoopOptions): Promise<{ close(): Promise<void> }> {
  const { config, registry, secrets, listen, isWatching } = options;
  const scope = scopeOf(config);
  const isFirst = (await readLive(registry, config.channelName, secrets.root)) === null;
  if (isFirst) await publishBatch(options, await readFolder(scope), "the first release");
  if (!isWatching) return { close: () => Promise.resolve() };

  const lock = lockPublisher({ directory: layoutOf(config.projectDir).states, channel: config.channelName });
  const watched = openWatch();
  const batches = watched[Symbol.asyncIterator]();
  // Before the processes start, so that they start from it.
  const start = await batches.next();
  const isLocked = start.done !== true && (await tryPublish(options, start.value, "the code at the start of the watch")) === "locked";
  const closing = new AbortController();
  const following = follow();
  return {
    close: async () => {
      closing.abort();
      watched.close();
      await following;
      lock.release();
    },
  };

  function openWatch(): WatchedDirectory {
    try {
      return watchDirectory({
        ...scope,
            quietMs: config.publish.quietMs,
        development: isDevelopment(config),
        onProblem: (error) => listen({ kind: "publish-failed", error: asMidflightError(error, "The code could not be published.") }),
      });
    } catch (error) {
      lock.release();
      throw error;
    }
  }

  /** What was saved while a rollout went on follows it. */
  async function insist(batch: Batch): Promise<void> {
    while ((await tryPublish(options, batch, null)) === "locked" && (await untilUnlocked())) continue;
  }

  /** False: nobody waits any more. */
  async function untilUnlocked(): Promise<boolean> {
    while (!closing.signal.aborted) {
      await pause(lookMs, closing.signal);
      const live = await readLive(registry, config.channelName, secrets.root);
      if (!isRolloutOpen(live?.assign ?? null)) return !closing.signal.aborted;
    }
    return false;
  }

  async function follow(): Promise<void> {
    if (isLocked && (await untilUnlocked())) await insist(start.value);
    for (let next = await batches.next(); next.done !== true; next = await batches.next()) await insist(next.value);
  }
}

/** `locked`: a rollout goes on, and no other release may begin before its end. */
async function tryPublish(options: PublishLoopOptions, batch: Batch, why: string | null): Promise<"told" | "locked"> {
  try {
    await publishBatch(options, batch, why);
    return "told";
  } catch (error) {
    const told = asMidflightError(error, "The code could not be published.");
    options.listen({ kind: "publish-failed", error: told });
    return told.code === "ROLLOUT_IN_PROGRESS" ? "locked" : "told";
  }
}

async function publishBatch({ config, publishing, listen }: PublishLoopOptions, batch: Batch, why: string | null): Promise<void> {
  const startedAt = performance.now();
  publishing.publisher.lookAhead();
  const tree = await publishing.collector.collect(batch);
  // Nothing runs yet at the start, so nothing is disrupted by it.
  const maxRung = batch.reason === "start" ? "replace" : config.rollout.maxRung;
  const outcome: PublishOutcome = await publishing.publisher.publish(tree, { maxRung, ...wavesOf(config), ...(why === null ? {} : { why }) });
  switch (outcome.kind) {
    case "published":
      listen({ kind: "published", release: outcome.release, number: outcome.number, rung: outcome.rung, verdicts: outcome.verdicts, tookMs: performance.now() - startedAt });
      return;
    case "unchanged":
      return;
    case "refused":
      throw toRefusal(outcome, maxRung, "the former release serves.");
  }
}

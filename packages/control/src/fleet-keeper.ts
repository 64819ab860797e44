import { isMidflightError, MidflightError, type Assign, type Digest, type Registry, type ReleaseId } from "@midflight/protocol";
import { isRolloutOpen, materialise, type Publisher, type PublishOutcome } from "@midflight/publisher";
import { asMidflightError, keepProcess, openProcessTable, type BootRelease, type Holder, type Running, type ServiceProcess } from "@midflight/supervisor";
import { targetsOf, type ResolvedConfig, type ResolvedService } from "./config/resolved-config.ts";
import type { Listen } from "./event.ts";
import type { LiveAssign } from "./live-release.ts";
import { isPresent } from "./operation/fleet.ts";
import { openOutcomeTeller } from "./outcome-teller.ts";
import type { Followed } from "./rollout/followed.ts";
import { takeBackNewest } from "./rollout/take-back.ts";
import type { Layout } from "./project/layout.ts";
import type { Secrets } from "./project/secrets.ts";
import { linkRest } from "./project/link-rest.ts";
import { returnStrays } from "./project/return-strays.ts";
import { openPackageKeeper } from "./package-keeper.ts";
import { openReleaseCleaner } from "./release-cleaner.ts";
import { createReplaceReasons } from "./replace-reasons.ts";
import { openSpokesman } from "./spokesman.ts";

export interface FleetKeeperOptions {
  readonly config: ResolvedConfig;
  readonly layout: Layout;
  readonly registry: Registry;
  readonly registryUrl: string;
  readonly secrets: Secrets;
  readonly publisher: Publisher;
  readonly followed: Followed;
  /** Processes of an earlier control that still run, by target. */
  readonly orphans: ReadonlyMap<string, Running>;
  readonly holder: () => Promise<Holder>;
  readonly environment: Readonly<Record<string, string | undefined>>;
  readonly listen: Listen;
}

const checkMs = 250;

/** Keeps a process per target, brings each to the release that it has to follow, and takes a release back that cannot boot. */
export function openFleetKeeper(options: FleetKeeperOptions): { readonly processes: readonly ServiceProcess[]; close(): Promise<void> } {
  const { config, layout, registry, secrets, publisher, followed, listen } = options;
  const table = openProcessTable(layout);
  const teller = openOutcomeTeller({ ...options, wasReplaced: (pid) => replaced.has(pid), onReverted });
  const replaced = new Set<number>();
  const cleaner = openReleaseCleaner(options);
  const packages = openPackageKeeper({ ...options, root: secrets.root, projectDir: config.projectDir });
  const replaceReason = createReplaceReasons(registry, secrets.root);
  const planned = new Set<string>();
  /** Targets whose successor did not get ready on a release; it is not tried again before something else was live. */
  const notReady = new Map<string, ReleaseId>();
  let live: LiveAssign | null = null;
  let isClosing = false;
  let working: Promise<void> = Promise.resolve();

  const readNewest = async (): Promise<LiveAssign | null> => {
    await followed.refresh();
    return followed.newest;
  };
  const bootRelease = async (target: string): Promise<BootRelease> => {
    await followed.refresh();
    const now = followed.of(target);
    if (now === null) throw new MidflightError("RELEASE_UNKNOWN", "There is no release to start from.");
    return bootOf(now.assign.release, now.assign.number);
  };
  const bootOf = async (release: ReleaseId, number: number): Promise<BootRelease> => {
    const { directory } = await materialise({ registry, releaseId: release, root: secrets.root, directory: layout.release(release), link: config.projectDir });
    await returnStrays(layout.releases, config.projectDir);
    await linkRest(config.projectDir, directory);
    await packages.provide(release, number, directory);
    return { release, number, directory };
  };

  const processes = config.services.flatMap((service) => targetsOf(service).map((target) => keep(service, target)));

  const spokesman = openSpokesman({
    registry, channelName: config.channelName, root: secrets.root,
    processes: processes.flatMap((process) => config.services.filter((service) => !service.agent && targetsOf(service).includes(process.target)).map(({ name }) => ({ process, service: name }))),
  });

  function keep(service: ResolvedService, target: string): ServiceProcess {
    const agent = { registryUrl: options.registryUrl, token: secrets.tokens.agent, channelName: config.channelName, rootPath: layout.trustRoot };
    return keepProcess({ target, service, layout, registry, channelName: config.channelName, agent, environment: options.environment, table, listen, holder: options.holder, bootRelease: () => bootRelease(target), onBootFailedTwice, onReplaceFailed }, options.orphans.get(target) ?? null);
  }

  /** A release that does not come up would not come up after the next crash either: the whole channel goes back. */
  async function onBootFailedTwice(target: string, boot: BootRelease, because: string, lastLines: readonly string[]): Promise<void> {
    const what = `${target} ended twice before it was ready, on r${boot.number}.`;
    const told = await takeBack(boot, { code: "BOOT_FAILED_TWICE", what, because, lastLines, otherwise: "it is started again and again" });
    if (told !== null) listen({ kind: "boot-failed-twice", target, number: boot.number, ...told });
  }

  /** The one before serves on, so there is nothing to wait for: what did not get ready here is not tried on the others. */
  async function onReplaceFailed(target: string, boot: BootRelease, because: string, lastLines: readonly string[]): Promise<void> {
    notReady.set(target, boot.release);
    const what = `${target} could not be replaced by r${boot.number}: a new process did not get ready.`;
    const told = await takeBack(boot, { code: "REPLACE_FAILED", what, because, lastLines, otherwise: "the process before it serves on" });
    if (told !== null) listen({ kind: "replace-taken-back", target, number: boot.number, ...told });
  }

  interface Failure {
    readonly code: "BOOT_FAILED_TWICE" | "REPLACE_FAILED";
    readonly what: string;
    readonly because: string;
    readonly lastLines: readonly string[];
    /** What goes on if there is nothing to go back to. */
    readonly otherwise: string;
  }

  async function takeBack(boot: BootRelease, { code, what, because, lastLines, otherwise }: Failure): Promise<{ readonly backTo: number | null; readonly error: MidflightError } | null> {
    const outcome = await rollBackFrom((assign) => assign.release === boot.release, `${what.replace(/\.$/, "")} (${because})`);
    if (outcome === null) return null;
    const backTo = outcome.kind === "published" ? outcome.number : null;
    const error = new MidflightError(code, {
      what,
      why: [because, ...lastLines].join("\n"),
      state: backTo === null ? `there is no release to go back to; ${otherwise}.` : `r${boot.number} was taken back; r${backTo} is live.`,
      fix: ["correct the code, then: midflight deploy"],
      details: { release: boot.release },
    });
    return { backTo, error };
  }

  /** Errors followed the swap in one process; what is bad for one is not left to the others. */
  async function onReverted(target: string, assign: Assign, reason: string): Promise<void> {
    if (assign.cause === "rollback") return;
    // A rollout that goes on has assigned the same release again, to more of them.
    const isIt = (newest: Assign): boolean => newest.counter === assign.counter || (newest.wave !== undefined && newest.wave.rollout === assign.wave?.rollout);
    await rollBackFrom(isIt, `${target} took r${assign.number} back: ${reason}`);
  }

  /** Takes back what the newest assign says, if it is that; whoever was first has done it already, and must not be taken back in turn. */
  async function rollBackFrom(isIt: (newest: Assign) => boolean, why: string): Promise<PublishOutcome | null> {
    return await takeBackNewest(followed, publisher, (newest) => !isClosing && isIt(newest), { why });
  }

  /** One look at the channel and at who is there. */
  async function check(): Promise<void> {
    const now = await readNewest();
    if (now === null) return;
    if (now.id !== live?.id) {
      const isFirst = live === null;
      live = now;
      notReady.clear();
      if (!isFirst && !isRolloutOpen(now.assign)) listen({ kind: "live", release: now.assign.release, number: now.assign.number, cause: now.assign.cause, why: now.assign.why });
      await cleaner.clean(followed.assigns.map(({ assign }) => assign));
      for (const process of processes) process.wake();
    }
    await forgetDead();
    await planMissing();
    await replaceWhereNeeded(now.id);
    await spokesman.speak((target) => followed.of(target)?.assign ?? null);
    await replaceOverdue();
    await teller.tell(followed.assigns.map(({ assign }) => assign));
  }

  /** The last word of a process that is gone would count for some seconds more, and plans would be made for it. */
  async function forgetDead(): Promise<void> {
    for (const beat of await registry.presence(config.channelName)) {
      if (!isPresent(beat)) await registry.beat({ ...beat, state: "stopped" }, 0);
    }
  }

  /** A process that came up from a release which was not alive when the live one was planned cannot know the way. */
  async function planMissing(): Promise<void> {
    for (const { target, boot: from } of await registry.presence(config.channelName)) {
      const to = followed.of(target)?.assign.release;
      const key = `${from}>${to}`;
      if (from === null || to === undefined || from === to || planned.has(key)) continue;
      await publisher.ensureTransition(from, to).catch(ignoreUnknown);
      planned.add(key);
    }
  }

  /** One after the other, so that a service of several processes never stands still as a whole. */
  async function replaceWhereNeeded(newest: Digest): Promise<void> {
    for (const process of processes) {
      const from = process.boot?.release;
      const to = followed.of(process.target)?.assign.release;
      if (isClosing || from === undefined || to === undefined || from === to || process.phase !== "ready" || notReady.get(process.target) === to) continue;
      const reason = await replaceReason(from, to, followed.position);
      if (reason === null) continue;
      if (!(await canBoot(process.target, to, followed.of(process.target)!.assign.number))) return;
      const outcome = await replace(process, reason);
      await forgetDead();
      // What became live meanwhile is looked at anew, before the next one is touched.
      if (outcome === "failed" || (await readNewest())?.id !== newest) return;
    }
  }

  /** Asked before a process is touched: a release whose packages are gone is taken back. */
  async function canBoot(target: string, release: ReleaseId, number: number): Promise<boolean> {
    try {
      await bootOf(release, number);
      return true;
    } catch (error) {
      if (!isMidflightError(error) || error.code !== "PACKAGES_GONE") throw error;
      await onReplaceFailed(target, { release, number, directory: layout.release(release) }, [error.facts.what, error.facts.why].filter(Boolean).join(" "), []);
      return false;
    }
  }

  async function replace(process: ServiceProcess, reason: string): Promise<"ready" | "failed"> {
    const { pid } = process;
    const outcome = await process.replace(reason);
    if (outcome === "ready" && pid !== null) replaced.add(pid);
    return outcome;
  }

  /** Where the policy is that a request which does not end costs its process. */
  async function replaceOverdue(): Promise<void> {
    const reports = (await Promise.all(followed.assigns.map(({ assign: { counter } }) => registry.reports({ channel: config.channelName, counter })))).flat();
    for (const process of processes) {
      const counter = followed.of(process.target)?.assign.counter;
      const overdue = reports.find(({ from, outcome, counter: own }) => own === counter && from.pid === process.pid && outcome.kind === "refused" && outcome.code === "REQUESTS_OVERDUE");
      if (isClosing || process.phase !== "ready" || notReady.has(process.target) || overdue?.outcome.kind !== "refused") continue;
      const outcome = await replace(process, overdue.outcome.reason);
      await forgetDead();
      if (outcome === "failed") return;
    }
  }

  let lastTrouble = "";
  let isQueued = false;
  const look = (): void => {
    if (isClosing || isQueued) return;
    isQueued = true;
    working = working.then(async () => {
      isQueued = false;
      try {
        await check();
        lastTrouble = "";
      } catch (error) {
        const trouble = asMidflightError(error, "Control could not look after its processes.");
        // It looks again soon, and would find the same.
        if (!isClosing && trouble.message !== lastTrouble) listen({ kind: "trouble", error: trouble });
        lastTrouble = trouble.message;
      }
    });
  };
  // Those who follow the channel, and whoever appended, hear of it first.
  const unsubscribe = registry.onPoke(config.channelName, () => void setImmediate(look));
  const timer = setInterval(look, checkMs);
  look();

  return {
    processes,
    close: async () => {
      isClosing = true;
      clearInterval(timer);
      spokesman.close();
      unsubscribe();
      listen({ kind: "stopping", processes: processes.filter((process) => process.pid !== null).length });
      await Promise.all(processes.map((process) => process.stop()));
      await working;
      await packages.close();
    },
  };
}

/** An image may be older than all that the registry keeps: its process stays as it is, and holds nobody up. */
function ignoreUnknown(error: unknown): void {
  if (!isMidflightError(error) || error.code !== "RELEASE_UNKNOWN") throw error;
}

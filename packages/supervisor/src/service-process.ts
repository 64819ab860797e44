import type { Registry, ReleaseId } from "@midflight/protocol";
import { asMidflightError } from "./as-error.ts";
import { backOffMs, steadyAfterMs } from "./back-off.ts";
import type { Exit } from "./child.ts";
import type { Listen } from "./event.ts";
import { launchKeyOf } from "./launch-key.ts";
import { readLastLines } from "./log-file.ts";
import { portOf, type AgentEnvironment } from "./process-environment.ts";
import type { ProcessPhase, ProcessRecord, ProcessTable } from "./process-table.ts";
import { waitUntilReady, type ReadinessOptions } from "./readiness.ts";
import type { Service, SupervisorPaths } from "./service.ts";
import { adoptProcess, startProcess, type BootRelease, type Running } from "./start-process.ts";
import { openWish, type Wish } from "./wish.ts";

export interface ServiceProcessOptions {
  readonly target: string;
  readonly service: Service;
  readonly layout: SupervisorPaths;
  readonly registry: Registry;
  readonly channelName: string;
  readonly agent: Omit<AgentEnvironment, "statePath">;
  readonly environment: Readonly<Record<string, string | undefined>>;
  readonly table: ProcessTable;
  readonly listen: Listen;
  /** What to start from now. */
  bootRelease(): Promise<BootRelease>;
  /** Told when a release failed to start twice in a row here. */
  onBootFailedTwice(target: string, boot: BootRelease, because: string, lastLines: readonly string[]): Promise<void>;
}

/** Keeps one process of a service running, on the live release. */
export interface ServiceProcess {
  readonly target: string;
  /** The release that the running process was started from; null while none runs. */
  readonly boot: BootRelease | null;
  readonly pid: number | null;
  readonly phase: ProcessPhase;
  /** Resolves when it is ready for the first time, or has failed for the first time. */
  readonly firstOutcome: Promise<"ready" | "failed">;
  /** Ends the process and starts it from the live release. Resolves when the new one is ready or has failed. */
  replace(reason: string): Promise<"ready" | "failed">;
  /** Another release is live: a process that waits to be started again is started at once, and its failures count anew. */
  wake(): void;
  /** Ends it for good. */
  stop(): Promise<void>;
}

const keptLines = 20;

/** How one life of a process came to its end. */
type Ended =
  /** Somebody wanted another one, or none. */
  | { readonly kind: "asked" }
  | { readonly kind: "failed"; readonly was: Running | null; readonly reason: string; readonly wasReady: boolean; readonly exit: Exit | null };

/** @param orphan a process that an earlier control started and that still runs */
export function keepProcess(options: ServiceProcessOptions, orphan: { readonly record: ProcessRecord; readonly boot: BootRelease } | null): ServiceProcess {
  const { target, service, listen } = options;
  const launchKey = launchKeyOf(service);
  const wish: Wish = openWish();
  let left = orphan === null ? null : adoptProcess(orphan.record, orphan.boot);
  let phase: ProcessPhase = "starting";
  let running: Running | null = null;
  let url: string | null = null;
  let failures = 0;
  let lastFailure: string | null = null;
  let failedBoots: { release: ReleaseId; times: number } | null = null;
  let outcome = Promise.withResolvers<"ready" | "failed">();
  const first = outcome.promise;

  async function live(): Promise<void> {
    while (wish.current !== "stop") {
      wish.begin();
      const ended = await liveOnce();
      if (ended.kind === "failed") await recover(ended);
    }
    enter("stopped", null);
    outcome.resolve("failed");
  }

  async function liveOnce(): Promise<Ended> {
    const startedAt = performance.now();
    try {
      enter("starting", left ?? (await startProcess(options)));
      left = null;
      const now = running!;
      const readiness = await waitUntilReady({ ...readinessOf(now), signal: wish.aborted });
      switch (readiness.kind) {
        case "aborted":
          await end(now);
          return { kind: "asked" };
        case "exited":
          return { kind: "failed", was: now, reason: describeExit(readiness.exit), wasReady: false, exit: readiness.exit };
        case "timed-out":
          await end(now);
          return { kind: "failed", was: now, reason: `it was not ready after ${service.readyTimeoutMs / 1000} s: ${readiness.because}`, wasReady: false, exit: null };
        case "ready":
          url = readiness.url;
          failedBoots = null;
          enter("ready", now);
          listen({
            kind: "process-ready", target, number: now.boot.number, pid: now.child.identity.pid, url, tookMs: performance.now() - startedAt,
            isAdopted: now.isAdopted, isUnregistered: readiness.beat.state === "unregistered",
          });
          outcome.resolve("ready");
          return await serve(now);
      }
    } catch (error) {
      if (running !== null) await end(running);
      const { facts } = asMidflightError(error, "it could not be started.");
      return { kind: "failed", was: null, reason: [facts.what, facts.why].filter(Boolean).join(" ").replace(/\.$/, ""), wasReady: false, exit: null };
    }
  }

  async function serve(now: Running): Promise<Ended> {
    const readyAt = performance.now();
    const exit = await Promise.race([now.child.exited, wish.changed.then(() => null)]);
    if (exit === null) {
      await end(now);
      return { kind: "asked" };
    }
    if (performance.now() - readyAt > steadyAfterMs) failures = 0;
    return { kind: "failed", was: now, reason: describeExit(exit), wasReady: true, exit };
  }

  /** Tells it, takes a release back that cannot boot, and waits before the next start. */
  async function recover({ was, reason, wasReady, exit }: Extract<Ended, { kind: "failed" }>): Promise<void> {
    failures += 1;
    const lastLines = was === null ? [] : readLastLines(was.log.path, was.log.startBytes, keptLines);
    const isPortTaken = !wasReady && lastLines.some((line) => line.includes("EADDRINUSE"));
    const because = isPortTaken ? `its port is in use by another program (EADDRINUSE); ${reason}` : reason;
    lastFailure = [because, ...lastLines].join("\n").slice(0, 4000);
    const againInMs = backOffMs(failures);
    enter("waiting", null);
    listen({ kind: "process-failed", target, number: was?.boot.number ?? 0, wasReady, because, exit, lastLines, logPath: options.layout.log(target), againInMs });
    if (was !== null && !wasReady) await countFailedBoot(was.boot, because, lastLines);
    outcome.resolve("failed");
    await wish.wait(againInMs);
  }

  async function countFailedBoot(boot: BootRelease, because: string, lastLines: readonly string[]): Promise<void> {
    failedBoots = { release: boot.release, times: failedBoots?.release === boot.release ? failedBoots.times + 1 : 1 };
    if (failedBoots.times !== 2) return;
    try {
      await options.onBootFailedTwice(target, boot, because, lastLines);
    } catch (error) {
      listen({ kind: "trouble", error: asMidflightError(error, "A release that cannot boot could not be taken back.") });
    }
  }

  async function end(now: Running): Promise<void> {
    enter("stopping", now);
    await now.child.stop(service.stopTimeoutMs);
    running = null;
  }

  function enter(next: ProcessPhase, now: Running | null): void {
    if (next !== "ready" && next !== "stopping") url = null;
    phase = next;
    running = now;
    const record: ProcessRecord = {
      target, service: service.name, phase, identity: now?.child.identity ?? null, launchKey, release: now?.boot.release ?? null, number: now?.boot.number ?? null,
      url, startedAt: now === null ? null : new Date(now.startedAt).toISOString(), failures, lastFailure,
      logPath: options.layout.log(target), logStartBytes: now?.log.startBytes ?? 0,
    };
    try {
      options.table.set(record);
    } catch (error) {
      // It runs on all the same; only what comes after a crash would know less.
      listen({ kind: "trouble", error: asMidflightError(error, "A process could not be written down.") });
    }
  }

  function readinessOf(now: Running): Omit<ReadinessOptions, "signal"> {
    return {
      registry: options.registry, channel: options.channelName, target, launchedAt: now.isAdopted ? 0 : now.startedAt, health: service.health,
      address: addressOf(service, target), log: now.log, exited: now.child.exited, timeoutMs: service.readyTimeoutMs,
    };
  }

  const lived = live();
  return {
    target,
    get boot() {
      return running?.boot ?? null;
    },
    get pid() {
      return running?.child.identity.pid ?? null;
    },
    get phase() {
      return phase;
    },
    firstOutcome: first,
    replace: (reason) => {
      listen({ kind: "process-replacing", target, number: running?.boot.number ?? 0, reason });
      outcome = Promise.withResolvers();
      failures = 0;
      wish.set("replace");
      return outcome.promise;
    },
    wake: () => {
      failures = 0;
      wish.wake();
    },
    stop: async () => {
      wish.set("stop");
      await lived;
    },
  };
}

function addressOf(service: Service, target: string): string | null {
  const port = portOf(service, target);
  return port === null || port === 0 ? null : `http://127.0.0.1:${port}`;
}

export function describeExit({ code, signal }: Exit): string {
  if (signal !== null) return `it was ended by ${signal}`;
  return code === null ? "it ended" : `it ended with exit code ${code}`;
}

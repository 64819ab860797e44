import type { Registry, ReleaseId } from "@midflight/protocol";
import type { ResolvedService } from "../config/resolved-config.ts";
import type { Listen } from "../event.ts";
import { createDeferred } from "../deferred.ts";
import { reasonOf } from "../project/durable-file.ts";
import type { Layout } from "../project/layout.ts";
import { backOffMs, steadyAfterMs } from "./back-off.ts";
import { adopt, launch, type Child, type Exit } from "./child.ts";
import { agentArguments, parseCommand, withAgent } from "./command.ts";
import { launchKeyOf } from "./launch-key.ts";
import { openLogFile, readLastLines, type LogFile } from "./log-file.ts";
import { portOf, processEnvironment, type AgentEnvironment } from "./process-environment.ts";
import type { ProcessPhase, ProcessRecord, ProcessTable } from "./process-table.ts";
import { waitUntilReady } from "./readiness.ts";
import { openWish, type Wish } from "./wish.ts";

/** A release that lies on disk, ready to be started from. */
export interface BootRelease {
  readonly release: ReleaseId;
  readonly number: number;
  readonly directory: string;
}

export interface ServiceProcessOptions {
  readonly target: string;
  readonly service: ResolvedService;
  readonly layout: Layout;
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
  /** A process that waits to be started again is started at once. */
  wake(): void;
  /** Ends it for good. */
  stop(): Promise<void>;
}

const keptLines = 20;

interface Running {
  readonly child: Child;
  readonly boot: BootRelease;
  readonly log: Pick<LogFile, "path" | "startBytes">;
  readonly startedAt: number;
  readonly isAdopted: boolean;
}

/** @param orphan a process that an earlier control started and that still runs */
export function keepProcess(options: ServiceProcessOptions, orphan: { readonly record: ProcessRecord; readonly boot: BootRelease } | null): ServiceProcess {
  const { target, service, listen } = options;
  const launchKey = launchKeyOf(service);
  const wish: Wish = openWish();
  let phase: ProcessPhase = "starting";
  let running: Running | null = null;
  let url: string | null = null;
  let failures = 0;
  let lastFailure: string | null = null;
  let failedBoots: { release: ReleaseId; times: number } | null = null;
  let outcome = createDeferred<"ready" | "failed">();
  const first = outcome.promise;

  const record = (next: ProcessPhase): void => {
    phase = next;
    options.table.set({
      target, service: service.name, phase, identity: running?.child.identity ?? null, launchKey, release: running?.boot.release ?? null, number: running?.boot.number ?? null,
      url, startedAt: running === null ? null : new Date(running.startedAt).toISOString(), failures, lastFailure,
      logPath: options.layout.log(target), logStartBytes: running?.log.startBytes ?? 0,
    });
  };

  const start = async (): Promise<Running> => {
    const boot = await options.bootRelease();
    listen({ kind: "process-starting", target, number: boot.number });
    const agent = { ...options.agent, statePath: options.layout.state(target) };
    const env = processEnvironment(options.environment, service, target, agent);
    const { command, nodeOptions } = withAgent(parseCommand(service.run), agentArguments(), env["NODE_OPTIONS"]);
    const log = openLogFile(options.layout.log(target));
    const startedAt = Date.now();
    const child = await launch({ command, directory: boot.directory, env: { ...env, NODE_OPTIONS: nodeOptions }, log });
    return { child, boot, log, startedAt, isAdopted: false };
  };

  const live = async (): Promise<void> => {
    let adopted = orphan === null ? null : adoptOrphan(orphan.record, orphan.boot);
    while (wish.current !== "stop") {
      wish.begin();
      const startedAt = performance.now();
      try {
        running = adopted ?? (await start());
      } catch (error) {
        await failed(null, reasonOf(error), false, null);
        continue;
      }
      adopted = null;
      url = null;
      record("starting");
      const readiness = await waitUntilReady({
        registry: options.registry, channel: options.channelName, target, launchedAt: running.isAdopted ? 0 : running.startedAt, health: service.health,
        address: addressOf(service, target), log: running.log, exited: running.child.exited, timeoutMs: service.readyTimeoutMs, signal: wish.aborted,
      });
      if (readiness.kind === "aborted") {
        await end(running.child);
        continue;
      }
      if (readiness.kind !== "ready") {
        if (readiness.kind === "timed-out") await end(running.child);
        const because = readiness.kind === "exited" ? describeExit(readiness.exit) : `it was not ready after ${service.readyTimeoutMs / 1000} s: ${readiness.because}`;
        await failed(running, because, false, readiness.kind === "exited" ? readiness.exit : null);
        continue;
      }
      url = readiness.url;
      failedBoots = null;
      record("ready");
      const { boot, child, isAdopted } = running;
      listen({ kind: "process-ready", target, number: boot.number, pid: child.identity.pid, url, tookMs: performance.now() - startedAt, isAdopted, isUnregistered: readiness.beat.state === "unregistered" });
      outcome.resolve("ready");
      const readyAt = performance.now();
      const exit = await Promise.race([child.exited, wish.changed.then(() => null)]);
      if (exit === null) {
        await end(child);
        continue;
      }
      if (performance.now() - readyAt > steadyAfterMs) failures = 0;
      await failed(running, describeExit(exit), true, exit);
    }
    running = null;
    record("stopped");
    outcome.resolve("failed");
  };

  const end = async (child: Child): Promise<void> => {
    record("stopping");
    await child.stop(service.stopTimeoutMs);
    running = null;
  };

  const failed = async (was: Running | null, reason: string, wasReady: boolean, exit: Exit | null): Promise<void> => {
    running = null;
    failures += 1;
    const lastLines = was === null ? [] : readLastLines(was.log.path, was.log.startBytes, keptLines);
    const isPortTaken = !wasReady && lastLines.some((line) => line.includes("EADDRINUSE"));
    const because = isPortTaken ? `its port is in use by another program (EADDRINUSE); ${reason}` : reason;
    lastFailure = [because, ...lastLines].join("\n").slice(0, 4000);
    const againInMs = backOffMs(failures);
    record("waiting");
    listen({ kind: "process-failed", target, number: was?.boot.number ?? 0, wasReady, because, exit, lastLines, logPath: options.layout.log(target), againInMs });
    if (was !== null && !wasReady) {
      failedBoots = { release: was.boot.release, times: failedBoots?.release === was.boot.release ? failedBoots.times + 1 : 1 };
      if (failedBoots.times === 2) await options.onBootFailedTwice(target, was.boot, because, lastLines);
    }
    outcome.resolve("failed");
    await wish.wait(againInMs);
  };

  const adoptOrphan = (left: ProcessRecord, boot: BootRelease): Running => ({
    child: adopt(left.identity!), boot, log: { path: left.logPath, startBytes: left.logStartBytes }, startedAt: Date.parse(left.startedAt ?? "") || Date.now(), isAdopted: true,
  });

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
      outcome = createDeferred();
      failures = 0;
      wish.set("replace");
      return outcome.promise;
    },
    wake: () => wish.wake(),
    stop: async () => {
      wish.set("stop");
      await lived;
    },
  };
}

function addressOf(service: ResolvedService, target: string): string | null {
  const port = portOf(service, target);
  return port === null || port === 0 ? null : `http://127.0.0.1:${port}`;
}

export function describeExit({ code, signal }: Exit): string {
  if (signal !== null) return `it was ended by ${signal}`;
  return code === null ? "it ended" : `it ended with exit code ${code}`;
}

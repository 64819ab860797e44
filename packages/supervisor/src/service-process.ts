import type { AgentWord, ReleaseId } from "@midflight/protocol";
import { asMidflightError } from "./as-error.ts";
import { backOffMs, steadyAfterMs } from "./back-off.ts";
import { describeExit, type Exit } from "./exit.ts";
import type { ServiceProcess, ServiceProcessOptions } from "./kept-process.ts";
import { launchKeyOf } from "./launch-key.ts";
import { readLastLines } from "./log-file.ts";
import { addressOf } from "./process-environment.ts";
import type { ProcessIdentity } from "./process-identity.ts";
import type { ProcessPhase, ProcessRecord } from "./process-table.ts";
import { findAddressLater, waitUntilReady, type Readiness, type ReadinessOptions } from "./readiness.ts";
import { retire } from "./retire.ts";
import type { BootRelease, Running } from "./running.ts";
import { isAskedItself, startProcess } from "./start-process.ts";
import { whyRestart } from "./why-restart.ts";
import { openWish, type Wish } from "./wish.ts";

const keptLines = 20;

/** How one life of a process came to its end. */
type Ended =
  /** Somebody wanted another one, or none. */
  | { readonly kind: "asked" }
  | { readonly kind: "failed"; readonly was: Running | null; readonly reason: string; readonly wasReady: boolean; readonly exit: Exit | null };

/** @param orphan a process that an earlier supervisor started and that still runs */
export function keepProcess(options: ServiceProcessOptions, orphan: Running | null): ServiceProcess {
  const { target, service, listen } = options;
  const launchKey = launchKeyOf(service);
  const wish: Wish = openWish();
  let left = orphan;
  let phase: ProcessPhase = "starting";
  let running: Running | null = null;
  let leaving: { readonly identity: ProcessIdentity; readonly gone: Promise<void> } | null = null;
  let url: string | null = null;
  let foundReady: { readonly child: ProcessIdentity; readonly at: number } | null = null;
  let restartsBecause: string | null = null;
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
    await leaving?.gone;
    enter("stopped", null);
    outcome.resolve("failed");
  }

  async function liveOnce(): Promise<Ended> {
    const startedAt = performance.now();
    try {
      enter("starting", left ?? (await startProcess(options, null)));
      left = null;
      const now = running!;
      // One that an earlier supervisor started may still wait for the word.
      if (now.isAdopted) now.child.held?.say({ kind: "accept" });
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
          begin(now, readiness, startedAt);
          outcome.resolve("ready");
          return await serve(now);
      }
    } catch (error) {
      if (running !== null) await end(running);
      const { facts } = asMidflightError(error, "it could not be started.");
      return { kind: "failed", was: null, reason: [facts.what, facts.why].filter(Boolean).join(" ").replace(/\.$/, ""), wasReady: false, exit: null };
    }
  }

  /** It is ready: written down first, so that whoever comes after a crash here goes on with this one; then it may accept. */
  function begin(now: Running, { url: at, isUnregistered }: Extract<Readiness, { kind: "ready" }>, startedAt: number): void {
    url = at;
    failedBoots = null;
    foundReady = { child: now.child.identity, at: Date.now() };
    enter("ready", now);
    now.child.held?.say({ kind: "accept" });
    void noteRestart(now);
    listen({
      kind: "process-ready", target, number: now.boot.number, pid: now.child.identity.pid, url, tookMs: performance.now() - startedAt,
      isAdopted: now.isAdopted, isUnregistered,
    });
    if (at === null) void writeAddressLater(now);
  }

  async function writeAddressLater(now: Running): Promise<void> {
    const found = await findAddressLater({ log: now.log, exited: now.child.exited });
    if (found === null || running !== now || url !== null) return;
    url = found;
    enter(phase, now);
  }

  /** Kept up to date with what it listens on, for whoever asks what a replacement would do. */
  async function noteRestart(now: Running): Promise<void> {
    const { held, exited } = now.child;
    for (let isOver = false; !isOver && running === now; ) {
      const because = await options.holder().then((holder) => whyRestart(service, held, holder, target), () => null);
      if (running === now && because !== restartsBecause) {
        restartsBecause = because;
        enter(phase, now);
      }
      const changed = held === null ? new Promise<never>(() => undefined) : held.hear((word): word is AgentWord => word.kind === "listening" || word.kind === "closed");
      isOver = await Promise.race([changed.then(() => false), exited.then(() => true)]);
    }
  }

  async function serve(first: Running): Promise<Ended> {
    let now = first;
    let readyAt = performance.now();
    for (;;) {
      const exit = await Promise.race([now.child.exited, wish.changed.then(() => null)]);
      if (exit !== null) {
        if (performance.now() - readyAt > steadyAfterMs) failures = 0;
        return { kind: "failed", was: now, reason: describeExit(exit), wasReady: true, exit };
      }
      // Null: no process can be started, so this one must not end for the next.
      const isHandOver = wish.current === "replace" && (await canHandOver(now, options).catch(() => null));
      if (isHandOver === false) {
        await end(now);
        return { kind: "asked" };
      }
      wish.begin();
      if (isHandOver === null) {
        outcome.resolve("failed");
        continue;
      }
      const next = await handOver(now);
      if (next !== now) readyAt = performance.now();
      now = next;
    }
  }

  /** Starts the next one beside it. What is returned serves from now on: the next one, or, if that did not get ready, the same. */
  async function handOver(old: Running): Promise<Running> {
    await leaving?.gone;
    const startedAt = performance.now();
    enter("replacing", old);
    let next: Running | null = null;
    try {
      next = await startProcess(options, old);
      const readiness = await waitUntilReady({ ...readinessOf(next), signal: wish.aborted });
      if (readiness.kind === "ready") {
        leave(old, next);
        begin(next, readiness, startedAt);
        return next;
      }
      await next.child.stop(service.stopTimeoutMs);
      if (readiness.kind === "aborted") enter("ready", old);
      else await tellFailed(old, next, readiness.kind === "exited" ? describeExit(readiness.exit) : `it was not ready after ${service.readyTimeoutMs / 1000} s: ${readiness.because}`);
      return old;
    } catch (error) {
      await next?.child.stop(service.stopTimeoutMs);
      enter("ready", old);
      listen({ kind: "trouble", error: asMidflightError(error, `The next ${target} could not be started.`) });
      outcome.resolve("failed");
      return old;
    }
  }

  async function tellFailed(old: Running, next: Running, reason: string): Promise<void> {
    const lastLines = readLastLines(next.log.path, next.log.startBytes, keptLines);
    const because = lastLines.some((line) => line.includes("EADDRINUSE")) ? `it opens a port that the one before it uses (EADDRINUSE); ${reason}` : reason;
    lastFailure = describeFailure(because, lastLines);
    enter("ready", old);
    listen({ kind: "replace-failed", target, number: next.boot.number, because, lastLines, logPath: next.log.path });
    try {
      await options.onReplaceFailed(target, next.boot, because, lastLines);
    } catch (error) {
      listen({ kind: "trouble", error: asMidflightError(error, "A release that does not get ready could not be taken back.") });
    }
    outcome.resolve("failed");
  }

  /** The old one comes to its end while the next one serves. It begins to when that may accept. */
  function leave(old: Running, heir: Running): void {
    const { identity } = old.child;
    const settled = outcome;
    const go = async (): Promise<void> => {
      const { tookMs, handedOver, left: open } = await retire(old, heir, service, wish.stopped);
      leaving = null;
      // What the next one does not use is nobody's now.
      const { held } = heir.child;
      if (held !== null && held.listening.size > 0) (await options.holder()).keep(target, [...held.listening]);
      if (running !== null) enter(phase, running);
      listen({ kind: "process-drained", target, number: old.boot.number, pid: identity.pid, tookMs, handedOver, left: open });
      settled.resolve("ready");
    };
    // In the next turn: `begin` has written the next one down and told it to accept by then.
    leaving = { identity, gone: new Promise((resolve) => setImmediate(() => void go().then(resolve))) };
  }

  /** Tells it, takes a release back that cannot boot, and waits before the next start. */
  async function recover({ was, reason, wasReady, exit }: Extract<Ended, { kind: "failed" }>): Promise<void> {
    failures += 1;
    const lastLines = was === null ? [] : readLastLines(was.log.path, was.log.startBytes, keptLines);
    const isPortTaken = !wasReady && lastLines.some((line) => line.includes("EADDRINUSE"));
    const because = isPortTaken ? `its port is in use by another program (EADDRINUSE); ${reason}` : reason;
    lastFailure = describeFailure(because, lastLines);
    const againInMs = backOffMs(failures);
    enter("waiting", null);
    // While it may come back soon its clients wait in the kernel; now they learn that nobody is there.
    if (failures > 1) await letGo();
    listen({ kind: "process-failed", target, number: was?.boot.number ?? 0, wasReady, because, exit, lastLines, logPath: was?.log.path ?? options.layout.log(target), againInMs });
    if (was !== null && !wasReady) await countFailedBoot(was.boot, because, lastLines);
    outcome.resolve("failed");
    await wish.wait(againInMs);
  }

  async function letGo(): Promise<void> {
    // Where none can be started, nobody holds any.
    const holder = await options.holder().catch(() => null);
    if (holder === null) return;
    holder.keep(target, []);
    // What processes share is let go when none of them is left.
    if (service.listen.length > 0 && holder.running(service.name) === 0) await holder.bind(service.name, []);
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
    if (next === "starting" || next === "waiting" || next === "stopped") url = null;
    phase = next;
    running = now;
    // One that is taken over was ready and serves: if we die before we have seen that, the next may take it over too.
    const isTakenOver = next === "starting" && now?.isAdopted === true;
    const record: ProcessRecord = {
      target, service: service.name, phase: isTakenOver ? "ready" : phase, identity: now?.child.identity ?? null, leaving: leaving?.identity ?? null, launchKey, release: now?.boot.release ?? null, number: now?.boot.number ?? null,
      url, startedAt: now === null ? null : new Date(now.startedAt).toISOString(), failures, lastFailure, restartsBecause,
      logPath: now?.log.path ?? options.layout.log(target), logStartBytes: now?.log.startBytes ?? 0,
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
      hasAgent: service.agent,
      address: addressOf(service, target), log: now.log, given: isAskedItself(now) ? now.child.held : null, exited: now.child.exited, timeoutMs: service.readyTimeoutMs,
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
    get readyAt() {
      return foundReady?.child === running?.child.identity ? (foundReady?.at ?? null) : null;
    },
    firstOutcome: first,
    replace: (reason) => {
      const { promise, reject } = (outcome = Promise.withResolvers());
      failures = 0;
      canHandOver(running, options).then((isHandOver) => {
        listen({ kind: "process-replacing", target, number: running?.boot.number ?? 0, reason, isHandOver });
        wish.set("replace");
      }, reject);
      return promise;
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

function describeFailure(because: string, lastLines: readonly string[]): string {
  return [because, ...lastLines].join("\n").slice(0, 4000);
}

async function canHandOver(now: Running | null, options: ServiceProcessOptions): Promise<boolean> {
  return now !== null && whyRestart(options.service, now.child.held, await options.holder(), options.target) === null;
}

import path from "node:path";
import { MidflightError, type AgentIdentity, type Beat, type Registry } from "@midflight/protocol";
import type { TrustRoot } from "@midflight/trust";
import { Agent, type AgentParts } from "./agent.ts";
import { BlobCache } from "./blob-cache.ts";
import type { BootRelease } from "./boot.ts";
import { comeUp } from "./come-up.ts";
import type { AgentConfig } from "./config.ts";
import { DriftWatch } from "./drift-watch.ts";
import { followChannel, type FollowLog } from "./follow-channel.ts";
import { openFloor } from "./floor.ts";
import { Health } from "./health.ts";
import { Inbox } from "./inbox.ts";
import { bootShape } from "./live.ts";
import { writeLiveRecord, writeLiveRecordNow } from "./live-record.ts";
import { Meter } from "./measure/meter.ts";
import { Orders } from "./orders.ts";
import { untilLoaded } from "./until-loaded.ts";
import { Presence } from "./presence.ts";
import { ReportQueue } from "./report-queue.ts";
import type { Runtime } from "./runtime/runtime.ts";
import { tellTrouble, type Tell } from "./signal.ts";

/** Errors that pile up make a beat come early, but no more often than this. In ms. */
const errorsMs = 1000;

export interface BringUpOptions {
  readonly config: Pick<AgentConfig, "channel" | "target" | "isOwner" | "stateDirectory" | "bootWaitMs" | "probationMs">;
  readonly identity: AgentIdentity;
  readonly boot: BootRelease;
  readonly root: TrustRoot;
  readonly registry: Registry;
  readonly follow: FollowLog;
  readonly runtime: Runtime;
  /** What the runtime counts requests with. Default: none. */
  readonly meter?: Meter;
  readonly tell: Tell;
  /** Ends the agent; the app runs on with what it has. */
  readonly signal: AbortSignal;
  /** Epoch ms. */
  readonly now: () => number;
  /** How long no unit may have come for the app's load to count as settled, in ms. Default: 250. */
  readonly loadLookMs?: number;
}

/** Puts an agent together and brings the process to the release that it is to run. Settles when the app may load. */
export async function bringUp(options: BringUpOptions): Promise<Agent> {
  const { config, identity, boot, root, registry, follow, runtime, meter = new Meter(), tell, signal, now, loadLookMs = 250 } = options;
  const { channel, bootWaitMs, probationMs } = config;
  const onTrouble = (where: string, problem: unknown): void => tellTrouble(tell, where, problem);

  // Threads and children read what the process they belong to has written down, and write nothing themselves.
  const isKept = config.isOwner && identity.thread === 0;
  const fileName = path.join(config.stateDirectory, encodeURIComponent(config.target));
  const liveFile = `${fileName}.live.json`;
  const { floor, isDamaged } = await openFloor({ file: `${fileName}.json`, isKept });
  if (isDamaged) onTrouble("floor", new MidflightError("FILE_UNREADABLE", "The counter floor cannot be read; it begins anew."));

  const reports = new ReportQueue({ registry, identity, channel, boot: boot.id, signal, onTrouble });
  const inbox = new Inbox({
    channel,
    target: identity.target,
    root,
    boot: boot.id,
    onRefused: (id, { code, reason }) => {
      tell({ kind: "ignored", id, code, reason });
      reports.add(0, { kind: "refused", release: id, code, reason, unit: null });
    },
  });
  signal.addEventListener("abort", () => inbox.wake(), { once: true });
  const onOutcome: AgentParts["onOutcome"] = (counter, outcome) => {
    tell({ kind: "outcome", outcome, counter });
    reports.add(counter, outcome);
    presence.beat();
  };
  const orders = new Orders({
    inbox,
    floor,
    now,
    onRefused: ({ assign }, refusal) => onOutcome(assign.counter, { kind: "refused", release: assign.release, ...refusal }),
    onTrouble,
  });
  const cache = new BlobCache(path.join(config.stateDirectory, "blobs"));
  const health = new Health();
  signal.addEventListener("abort", () => health.stop(), { once: true });
  // One after the other, so that the newest is what stays.
  let recorded = Promise.resolve();
  const drift = new DriftWatch({
    runtime,
    onTrouble,
    onDrift: (found) => {
      tell({ kind: "drift", drift: found });
      presence.beat();
    },
  });
  const parts: AgentParts = {
    boot, inbox, orders, floor, runtime, health, meter, drift, probationMs, signal, onOutcome, onTrouble,
    sources: { registry, cache, root, boot, seen: inbox, onTrouble },
    record: ({ way }) => {
      const write = async (): Promise<void> => {
        // The record is of use only with the blobs that it needs.
        await cache.settled();
        if (isKept) await writeLiveRecord(liveFile, way);
      };
      recorded = recorded.then(write, write);
      return recorded;
    },
    recordNow: ({ way }) => {
      if (isKept) writeLiveRecordNow(liveFile, way);
    },
    pruneSoon: (needed) => {
      if (isKept) cache.pruneSoon(needed);
    },
    onState: (state) => {
      tell({ kind: "state", state });
      presence.beat();
    },
  };
  const agent = new Agent(parts, bootShape(boot));
  const describe = (): Beat => {
    const measured = meter.read();
    return {
      ...identity, channel, state: agent.state, boot: boot.id, live: agent.live, counter: orders.counter, generation: agent.generation,
      ...(drift.found.length > 0 && { drift: drift.found }), ...(measured !== undefined && { measured }),
    };
  };
  const onTick = (): void => {
    health.tick();
    if (agent.state !== "stopped") void drift.look();
  };
  const presence = new Presence({ registry, describe, signal, onTrouble, onTick });
  let toldAtMs = -Infinity;
  meter.onErrors = () => {
    if (performance.now() - toldAtMs < errorsMs) return;
    toldAtMs = performance.now();
    presence.beat();
  };
  presence.beat();

  const connected = followChannel({ registry, follow, channel, inbox, signal, onTrouble });
  const deadline = new AbortController();
  // The only thing here that keeps the process alive: without it, Node would end before the app has loaded.
  const timer = setTimeout(() => deadline.abort(), bootWaitMs);
  try {
    const live = await comeUp(parts, connected, liveFile, deadline.signal);
    await parts.record(live.next ?? live).catch((problem: unknown) => onTrouble("live-record", problem));
    agent.begin(live, untilLoaded(runtime, loadLookMs, signal));
    void agent.run();
  } catch (problem) {
    onTrouble("start", problem);
    agent.halt();
  } finally {
    clearTimeout(timer);
    deadline.abort();
  }
  return agent;
}

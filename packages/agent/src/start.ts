import { readFileSync } from "node:fs";
import path from "node:path";
import { getEnvironmentData, setEnvironmentData, threadId } from "node:worker_threads";
import { MidflightError, type AgentState, type Beat, type Registry } from "@midflight/protocol";
import { connectRegistry, follow } from "@midflight/registry-client";
import { parseTrustRoot, sha256, type TrustRoot } from "@midflight/trust";
import { Agent, type AgentParts } from "./agent.ts";
import { BlobCache } from "./blob-cache.ts";
import { findBoot, type Boot, type BootRelease } from "./boot.ts";
import { comeUp } from "./come-up.ts";
import type { AgentConfig } from "./config.ts";
import { followChannel } from "./follow-channel.ts";
import { openFloor } from "./floor.ts";
import { Health } from "./health.ts";
import { createIdentity } from "./identity.ts";
import { Inbox } from "./inbox.ts";
import { bootShape } from "./live.ts";
import { writeLiveRecord } from "./live-record.ts";
import { Orders } from "./orders.ts";
import { Presence } from "./presence.ts";
import { ReportQueue } from "./report-queue.ts";
import { tellProcess, tellTrouble } from "./signal.ts";

/** Starts the agent of this thread. Settles when the app may load. @throws MidflightError; the app then runs without an agent */
export async function start(config: AgentConfig): Promise<void> {
  const root = readRoot(config);
  const registry = connectRegistry({ url: config.registryUrl, token: config.token });
  const boot = findBootOfThread(root);
  if (boot.kind === "unregistered") startUnregistered(config, registry, boot.reason);
  else await startKnown(config, registry, root, boot);
}

const onTrouble = (where: string, problem: unknown): void => tellTrouble(tellProcess, where, problem);

function startUnregistered(config: AgentConfig, registry: Registry, reason: string): void {
  tellTrouble(tellProcess, "boot", new MidflightError("PROCESS_UNREGISTERED", reason));
  const identity = createIdentity(config);
  const beat: Beat = { ...identity, channel: config.channel, state: "unregistered", boot: null, live: null, counter: 0, generation: 0 };
  new Presence({ registry, describe: () => beat, signal: new AbortController().signal, onTrouble }).beat();
}

async function startKnown(config: AgentConfig, registry: Registry, root: TrustRoot, boot: BootRelease): Promise<void> {
  const { createRuntime } = await import("./runtime/runtime.ts");
  const runtime = createRuntime({ releaseDirectory: boot.directory, hash: sha256 });
  // Before the app has loaded: its units register themselves with this.
  runtime.install();

  const { channel } = config;
  const { signal } = new AbortController();
  const identity = createIdentity(config);
  const isKept = config.isOwner && threadId === 0;
  const fileName = path.join(config.stateDirectory, encodeURIComponent(config.target));
  const liveFile = `${fileName}.live.json`;
  const { floor, isDamaged } = await openFloor({ file: `${fileName}.json`, isKept });
  if (isDamaged) onTrouble("floor", new MidflightError("FILE_UNREADABLE", "The counter floor cannot be read; it begins anew."));

  const reports = new ReportQueue({ registry, identity, channel, boot: boot.id, signal, onTrouble });
  const onOutcome: AgentParts["onOutcome"] = (counter, outcome) => {
    tellProcess({ kind: "outcome", outcome, counter });
    reports.add(counter, outcome);
    presence.beat();
  };
  const inbox = new Inbox({
    channel,
    target: identity.target,
    root,
    boot: boot.id,
    onRefused: (id, { code, reason }) => {
      tellProcess({ kind: "ignored", id, code, reason });
      reports.add(0, { kind: "refused", release: id, code, reason, unit: null });
    },
  });
  const orders = new Orders({
    inbox,
    floor,
    now: Date.now,
    onRefused: ({ assign }, refusal) => onOutcome(assign.counter, { kind: "refused", release: assign.release, ...refusal }),
    onTrouble,
  });
  const cache = new BlobCache(path.join(config.stateDirectory, "blobs"));
  const health = new Health();
  const parts: AgentParts = {
    boot, inbox, orders, floor, cache, runtime, health, signal, onOutcome, onTrouble,
    probationMs: config.probationMs,
    sources: { registry, cache, root, boot, seen: (to) => inbox.findTransition(to), onTrouble },
    record: async ({ transition }) => {
      if (isKept) await writeLiveRecord(liveFile, transition === null ? null : { transition });
    },
    onState: (state: AgentState) => {
      tellProcess({ kind: "state", state });
      presence.beat();
    },
  };
  const agent = new Agent(parts, bootShape(boot));
  const describe = (): Beat => ({ ...identity, channel, state: agent.state, boot: boot.id, live: agent.live, counter: orders.counter, generation: agent.generation });
  const presence = new Presence({ registry, describe, signal, onTrouble, onTick: () => health.tick() });
  presence.beat();

  const connected = followChannel({ registry, follow: (after, options) => follow(registry, channel, after, options), channel, inbox, signal, onTrouble });
  const deadline = new AbortController();
  // The only thing that keeps the process alive: without it, Node would end before the app has loaded.
  const timer = setTimeout(() => deadline.abort(), config.bootWaitMs);
  try {
    const live = await comeUp(parts, connected, liveFile, deadline.signal);
    agent.begin(live);
    parts.record(live).catch((problem: unknown) => onTrouble("live-record", problem));
    void agent.run();
  } catch (problem) {
    onTrouble("start", problem);
    agent.halt();
  } finally {
    clearTimeout(timer);
    deadline.abort();
  }
}

function readRoot(config: AgentConfig): TrustRoot {
  let value: unknown;
  try {
    value = JSON.parse(readFileSync(config.rootFile, "utf8"));
  } catch (cause) {
    throw new MidflightError("AGENT_NOT_CONFIGURED", { what: `The trust root ${config.rootFile} cannot be read.`, details: { file: config.rootFile } }, { cause });
  }
  const root = parseTrustRoot(value);
  if (!config.channel.startsWith(`${root.app}/`)) {
    throw new MidflightError("AGENT_NOT_CONFIGURED", `The trust root is of app ${root.app}, and the channel is ${config.channel}.`);
  }
  return root;
}

const bootKey = "midflight.agent.v1.boot";

/** The files of a release are proved once per process: threads take the answer of the thread that started first. */
function findBootOfThread(root: TrustRoot): Boot {
  if (threadId !== 0) {
    const known = getEnvironmentData(bootKey) as unknown as Boot | undefined;
    if (known !== undefined) return known;
  }
  const boot = findBoot({ entry: process.argv[1], workingDirectory: process.cwd() }, root);
  setEnvironmentData(bootKey, { ...boot });
  return boot;
}

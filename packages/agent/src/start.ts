import { readFileSync } from "node:fs";
import { getEnvironmentData, setEnvironmentData, threadId } from "node:worker_threads";
import { MidflightError, type Beat, type Registry } from "@midflight/protocol";
import { connectRegistry, follow } from "@midflight/registry-client";
import { parseTrustRoot, sha256, type TrustRoot } from "@midflight/trust";
import { findBoot, type Boot } from "./boot.ts";
import { readProcessConfig, type AgentConfig } from "./config.ts";
import { installDrain } from "./drain/install.ts";
import { createIdentity } from "./identity.ts";
import { Meter } from "./measure/meter.ts";
import { Presence } from "./presence.ts";
import { tellProcess, tellTrouble } from "./signal.ts";

/** Starts the agent of this thread, as its environment says. Settles when the app may load, and never rejects. */
export async function startProcessAgent(): Promise<void> {
  try {
    const config = readProcessConfig();
    if (config === null) return;
    if (config.isOwner && threadId === 0) installDrain(onTrouble);
    await start(config);
  } catch (problem) {
    onTrouble("start", problem);
  }
}

async function start(config: AgentConfig): Promise<void> {
  const root = readRoot(config);
  const registry = connectRegistry({ url: config.registryUrl, token: config.token });
  const identity = createIdentity(config);
  const boot = findBootOfThread(root);
  if (boot.kind === "unregistered") {
    onTrouble("boot", new MidflightError("PROCESS_UNREGISTERED", boot.reason));
    beatUnregistered(registry, { ...identity, channel: config.channel, state: "unregistered", boot: null, live: null, counter: 0, generation: 0 });
    return;
  }
  const [{ createRuntime }, { bringUp }] = await Promise.all([import("./runtime/runtime.ts"), import("./bring-up.ts")]);
  const meter = new Meter();
  const runtime = createRuntime({ releaseDirectory: boot.directory, bootArtifacts: boot.artifacts, hash: sha256, requests: config.requests, meter });
  // Before the app has loaded: its units register themselves with this.
  runtime.install();
  await bringUp({
    config, identity, boot, root, registry, runtime, meter,
    follow: (after, options) => follow(registry, config.channel, after, { ...options, wantsEnclosed: true }),
    tell: tellProcess,
    signal: new AbortController().signal,
    now: Date.now,
  });
}

function onTrouble(where: string, problem: unknown): void {
  tellTrouble(tellProcess, where, problem);
}

function beatUnregistered(registry: Registry, beat: Beat): void {
  new Presence({ registry, describe: () => beat, signal: new AbortController().signal, onTrouble }).beat();
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

/** The files of a release are proved once per process: threads take the answer of the thread that started them. */
function findBootOfThread(root: TrustRoot): Boot {
  if (threadId !== 0) {
    const known = getEnvironmentData(bootKey) as unknown as Boot | undefined;
    if (known !== undefined) return known;
  }
  const boot = findBoot({ entry: process.argv[1], workingDirectory: process.cwd() }, root);
  setEnvironmentData(bootKey, { ...boot });
  return boot;
}

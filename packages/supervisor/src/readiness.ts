import type { Beat, Registry } from "@midflight/protocol";
import type { Exit } from "./exit.ts";
import type { HeldProcess } from "./holder/connect-holder.ts";
import { findPrintedUrl, type LogFile } from "./log-file.ts";

export interface ReadinessOptions {
  readonly registry: Registry;
  readonly channel: string;
  readonly target: string;
  /** Beats of starts before this one do not count; epoch ms. */
  readonly launchedAt: number;
  /** False: it has none, and its health alone counts. */
  readonly hasAgent: boolean;
  /** A path or URL; null: the agent's word is enough. */
  readonly health: string | null;
  /** Null: the first address in its log. */
  readonly address: string | null;
  readonly log: Pick<LogFile, "path" | "startBytes">;
  /** A process that was given sockets shares them with others: it is asked over a connection of its own. Null: by its address. */
  readonly given: HeldProcess | null;
  readonly exited: Promise<Exit>;
  readonly timeoutMs: number;
  readonly signal: AbortSignal;
}

export type Readiness =
  | { readonly kind: "ready"; readonly isUnregistered: boolean; readonly url: string | null }
  | { readonly kind: "exited"; readonly exit: Exit }
  | { readonly kind: "timed-out"; readonly because: string }
  | { readonly kind: "aborted" };

const pollMs = 40;
/** An address is looked for ever less often, and no more after some minutes. */
const longestPauseMs = 5000;
const looks = 60;

/** Ready: the agent, if it has one, follows the channel, and the health URL answers 2xx. */
export async function waitUntilReady(options: ReadinessOptions): Promise<Readiness> {
  let exit: Exit | null = null;
  void options.exited.then((value) => (exit = value));
  const deadline = performance.now() + options.timeoutMs;
  let because = options.hasAgent ? "its agent never reported (a program that is not Node has none: agent: false)" : "it was not asked yet";
  while (true) {
    if (exit !== null) return { kind: "exited", exit };
    if (options.signal.aborted) return { kind: "aborted" };
    if (performance.now() > deadline) return { kind: "timed-out", because };
    const beat = options.hasAgent ? await findBeat(options) : null;
    if (beat !== null || !options.hasAgent) {
      const url = options.address ?? findPrintedUrl(options.log.path, options.log.startBytes);
      const problem = await ask(options, url);
      if (problem === null) return { kind: "ready", isUnregistered: beat?.state === "unregistered", url };
      because = problem;
    }
    await pause(pollMs, options.exited);
  }
}

/**
 * The address of a process that was ready before it printed one: an app may say where it listens after it does.
 * Null if it never does, or has ended.
 */
export async function findAddressLater({ log, exited }: Pick<ReadinessOptions, "log" | "exited">): Promise<string | null> {
  const over = exited.then(() => "exited");
  for (let look = 1; look <= looks; look++) {
    const url = findPrintedUrl(log.path, log.startBytes);
    if (url !== null) return url;
    if ((await pause(Math.min(pollMs * look, longestPauseMs), over)) === "exited") return null;
  }
  return null;
}

/** The main thread's agent, once it knows what it runs. */
async function findBeat({ registry, channel, target, launchedAt }: ReadinessOptions): Promise<Beat | null> {
  const beats = await registry.presence(channel);
  // Clocks of one machine, but a process rounds its start; a second is room enough, a former start is longer gone.
  const own = beats.filter((beat) => beat.target === target && beat.thread === 0 && Date.parse(beat.startedAt) >= launchedAt - 1000);
  return own.find((beat) => beat.state !== "starting" && beat.state !== "stopped") ?? null;
}

async function ask({ given, health }: ReadinessOptions, url: string | null): Promise<string | null> {
  if (given === null) return await checkHealth(health, url);
  return given.door === null ? await askOwn(given, health) : await checkHealth(health, `http://127.0.0.1:${given.door.port}`);
}

const answerWithinMs = 2000;

/** The same question to one process among several on one socket. A service that listened before must listen again. */
async function askOwn(held: HeldProcess, health: string | null): Promise<string | null> {
  const sockets = [...held.listening];
  if (sockets.length === 0) return "it does not listen, as the process before it does";
  if (health === null) return null;
  const url = new URL(health, "http://localhost");
  const socket = (/^https?:/.test(health) ? sockets.find((name) => name.endsWith(`:${url.port}`)) : undefined) ?? sockets[0]!;
  const path = url.pathname + url.search;
  try {
    const { status, body } = await held.probe({ socket, path, isSecure: url.protocol === "https:", timeoutMs: answerWithinMs });
    return judgeAnswer(health, status, body);
  } catch (error) {
    return `${health} did not answer: ${(error as Error).message}`;
  }
}

function judgeAnswer(url: string, status: number, body: string): string | null {
  return status >= 200 && status < 300 ? null : `${url} answered ${status}: ${body.split("\n").slice(0, 20).join(" ").slice(0, 500)}`;
}

async function checkHealth(health: string | null, url: string | null): Promise<string | null> {
  if (health === null) return null;
  const full = /^https?:/.test(health) ? health : url === null ? null : url + health;
  if (full === null) return `it printed no address, and there is no PORT to ask for ${health}`;
  try {
    const response = await fetch(full, { redirect: "manual", signal: AbortSignal.timeout(answerWithinMs) });
    const text = await response.text();
    return judgeAnswer(full, response.status, text);
  } catch (error) {
    const cause = (error as Error).cause;
    return `${full} did not answer: ${cause instanceof Error ? cause.message : (error as Error).message}`;
  }
}

async function pause(ms: number, exited: Promise<unknown>): Promise<unknown> {
  let timer: NodeJS.Timeout | undefined;
  const ended = await Promise.race([new Promise<void>((resolve) => (timer = setTimeout(resolve, ms))), exited]);
  clearTimeout(timer);
  return ended;
}

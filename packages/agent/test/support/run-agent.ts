import { once, EventEmitter } from "node:events";
import type { AgentIdentity, AgentState, Blob, Cursor, LogEntry, Registry } from "@midflight/protocol";
import type { Agent } from "../../src/agent.ts";
import { bringUp, type BringUpOptions } from "../../src/bring-up.ts";
import type { FollowLog } from "../../src/follow-channel.ts";
import type { AgentSignal } from "../../src/signal.ts";
import { ScriptedRuntime } from "./scripted-runtime.ts";
import { channel, type Published, type World } from "./world.ts";

export interface RunningAgent {
  readonly agent: Agent;
  readonly runtime: ScriptedRuntime;
  readonly signals: AgentSignal[];
  readonly states: AgentState[];
  /** Settles when a signal, past or to come, satisfies the test. */
  readonly until: <T extends AgentSignal>(isIt: (signal: AgentSignal) => signal is T) => Promise<T>;
  readonly untilState: (state: AgentState) => Promise<void>;
  readonly outcome: (counter: number, kind: "swapped" | "refused" | "reverted") => Promise<Extract<AgentSignal, { kind: "outcome" }>>;
  /** Calls back at every state to come, at the very moment. */
  readonly onState: (listen: (state: AgentState) => void) => void;
  readonly stop: () => void;
}

/** Reads on at every poke, as the client of a real registry does, but in this process. */
export function followInProcess(registry: Registry): FollowLog {
  return async (after, { signal, onEntries }) => {
    let cursor: Cursor | null = after;
    const pokes = new EventEmitter();
    let enclosed: readonly Blob[] = [];
    const off = registry.onPoke(channel, (enclosure) => {
      enclosed = enclosure?.blobs ?? [];
      pokes.emit("poke");
    });
    let isPoked = true;
    pokes.on("poke", () => (isPoked = true));
    while (!signal.aborted) {
      if (isPoked) {
        isPoked = false;
        const page = await registry.read(channel, cursor, 100);
        cursor = page.next;
        if (!page.isEnd) isPoked = true;
        await onEntries(page.entries, { isEnd: page.isEnd, enclosed });
        continue;
      }
      await once(pokes, "poke", { signal }).catch(() => undefined);
    }
    off();
  };
}

/** A `follow` that delivers exactly what the test hands it. */
export class HandFeed {
  #onEntries: ((entries: readonly LogEntry[], info: { isEnd: boolean; enclosed?: readonly Blob[] }) => void | Promise<void>) | null = null;
  readonly follow: FollowLog = async (_after, { signal, onEntries }) => {
    this.#onEntries = onEntries;
    await new Promise((resolve) => signal.addEventListener("abort", resolve, { once: true }));
  };

  async give(...entries: readonly LogEntry[]): Promise<void> {
    await this.#onEntries!(entries, { isEnd: true });
  }
}

export interface RunOptions extends Partial<Pick<BringUpOptions, "registry" | "follow" | "now" | "meter">> {
  readonly probationMs?: number;
  readonly bootWaitMs?: number;
  readonly runtime?: ScriptedRuntime;
  readonly thread?: number;
  readonly isOwner?: boolean;
}

export async function runAgent(world: World, boot: Published, options: RunOptions = {}): Promise<RunningAgent> {
  const { runtime = new ScriptedRuntime(), registry = world.registry, probationMs = 0, bootWaitMs = 2000, thread = 0, isOwner = true } = options;
  const signals: AgentSignal[] = [];
  const states: AgentState[] = [];
  const heard = new EventEmitter();
  heard.setMaxListeners(100);
  const stopped = new AbortController();
  const identity: AgentIdentity = {
    agent: `agent-${Math.random()}`, target: "web-1", service: "web", host: "here", pid: process.pid, thread, runtime: "node", startedAt: new Date().toISOString(),
  };
  const agent = await bringUp({
    config: { channel, target: "web-1", isOwner, stateDirectory: `${world.directory}/state`, bootWaitMs, probationMs },
    identity,
    boot: world.boot(boot),
    root: world.root,
    registry,
    follow: options.follow ?? followInProcess(registry),
    runtime,
    ...(options.meter !== undefined && { meter: options.meter }),
    tell: (signal) => {
      signals.push(signal);
      if (signal.kind === "state") {
        states.push(signal.state);
        heard.emit("state", signal.state);
      }
      heard.emit("signal");
    },
    signal: stopped.signal,
    now: options.now ?? Date.now,
    loadLookMs: 1,
  });
  const until = async <T extends AgentSignal>(isIt: (signal: AgentSignal) => signal is T): Promise<T> => {
    for (;;) {
      const found = signals.find(isIt);
      if (found !== undefined) return found;
      await once(heard, "signal", { signal: AbortSignal.timeout(20_000) });
    }
  };
  return {
    agent,
    runtime,
    signals,
    states,
    until,
    untilState: async (state) => {
      while (agent.state !== state) await once(heard, "signal", { signal: AbortSignal.timeout(20_000) });
    },
    outcome: (counter, kind) => until((s): s is Extract<AgentSignal, { kind: "outcome" }> => s.kind === "outcome" && s.counter === counter && s.outcome.kind === kind),
    onState: (listen) => heard.on("state", listen),
    stop: () => stopped.abort(),
  };
}

import os from "node:os";
import { presenceTtlMs, type Assign, type Beat, type Registry, type ReleaseId } from "@midflight/protocol";
import type { ServiceProcess } from "@midflight/supervisor";
import { verifyTransition, type TrustRoot } from "@midflight/trust";

export interface SpokesmanOptions {
  readonly registry: Registry;
  readonly channelName: string;
  readonly root: TrustRoot;
  /** The processes without an agent, each with the name of its service. */
  readonly processes: readonly { readonly process: ServiceProcess; readonly service: string }[];
}

export interface Spokesman {
  /** Says what each of them runs, now that this is assigned to it. */
  speak(assignOf: (target: string) => Assign | null): Promise<void>;
  close(): void;
}

/**
 * Speaks for processes that have no agent. What one was started from is known; a release that it is not replaced for differs in nothing
 * that is its code, so it runs that one, too. Ready is what its health path said.
 */
export function openSpokesman({ registry, channelName, root, processes }: SpokesmanOptions): Spokesman {
  const said = new Map<string, Beat>();
  // While a replacement is waited for, nobody else speaks.
  const timer = setInterval(() => {
    for (const { process } of processes) {
      const beat = said.get(process.target);
      if (beat !== undefined && beat.pid === process.pid) void registry.beat(beat, presenceTtlMs).catch(() => undefined);
    }
  }, presenceTtlMs / 3);
  timer.unref();

  async function liveOf(boot: ReleaseId, to: ReleaseId): Promise<ReleaseId> {
    if (boot === to) return to;
    const entry = await registry.transition(boot, to);
    return entry !== null && verifyTransition(entry.envelope, root).transition.rung !== "replace" ? to : boot;
  }

  return {
    speak: async (assignOf) => {
      for (const { process, service } of processes) {
        const { target, pid, boot, readyAt } = process;
        const assign = assignOf(target);
        if (assign === null || pid === null || boot === null || readyAt === null || (process.phase !== "ready" && process.phase !== "replacing")) continue;
        const live = await liveOf(boot.release, assign.release);
        const { counter } = assign;
        const before = said.get(target);
        if (before?.pid === pid && before.live === live && before.counter === counter) continue;
        const startedAt = new Date(readyAt).toISOString();
        const beat: Beat = {
          agent: `${target}.${pid}.${readyAt}`, target, service, host: os.hostname(), pid, thread: 0, runtime: "none", startedAt,
          channel: channelName, state: "following", boot: boot.release, live, counter, generation: 0,
        };
        said.set(target, beat);
        await registry.beat(beat, presenceTtlMs);
      }
    },
    close: () => clearInterval(timer),
  };
}

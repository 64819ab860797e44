import assert from "node:assert/strict";
import { EventEmitter, once } from "node:events";
import type { TestContext } from "node:test";
import type { Blob, Cursor, LogEntry, MidflightError } from "@midflight/protocol";
import { follow, type FollowOptions, type RegistryClient } from "@midflight/registry-client";

export interface Recorder {
  readonly entries: LogEntry[];
  readonly calls: { readonly ids: readonly string[]; readonly gap: boolean; readonly isEnd: boolean; readonly enclosed: readonly Blob[] }[];
  readonly states: boolean[];
  readonly causes: (MidflightError | null)[];
  /** Waits until this holds; asked again after each call. */
  readonly until: (holds: () => boolean) => Promise<void>;
  readonly stop: () => Promise<void>;
}

/** Follows a channel and writes down all it is told; ends with the test. */
export function record(t: TestContext, client: RegistryClient, channel: string, after: Cursor | null = null, options: Partial<FollowOptions> = {}): Recorder {
  const told = new EventEmitter();
  const stopping = new AbortController();
  const recorder: Pick<Recorder, "entries" | "calls" | "states" | "causes"> = { entries: [], calls: [], states: [], causes: [] };
  const following = follow(client, channel, after, {
    signal: stopping.signal,
    onEntries: (entries, { gap, isEnd, enclosed }) => {
      recorder.entries.push(...entries);
      recorder.calls.push({ ids: entries.map((e) => e.id), gap, isEnd, enclosed });
      told.emit("told");
    },
    onState: (isConnected, cause) => {
      recorder.states.push(isConnected);
      recorder.causes.push(cause);
      told.emit("told");
    },
    ...options,
  });
  const stop = async (): Promise<void> => {
    stopping.abort();
    await following;
  };
  t.after(stop);
  return {
    ...recorder,
    stop,
    until: async (holds) => {
      while (!holds()) {
        await once(told, "told", { signal: AbortSignal.timeout(60_000) }).catch(() => assert.fail(`it did not come about: ${holds.toString()}; told: ${JSON.stringify(recorder.calls)} ${recorder.states.join()}`));
      }
    },
  };
}

import type { Blob, Cursor, LogEntry, Registry } from "@midflight/protocol";
import type { Inbox } from "./inbox.ts";
import { BackOff, wait } from "./wait.ts";

/** `follow` of the registry client, with its registry and channel filled in. */
export type FollowLog = (
  after: Cursor | null,
  options: { readonly signal: AbortSignal; readonly onEntries: (entries: readonly LogEntry[], info: { readonly isEnd: boolean; readonly enclosed?: readonly Blob[] }) => void | Promise<void> },
) => Promise<void>;

export interface FollowOptions {
  readonly registry: Pick<Registry, "head">;
  readonly follow: FollowLog;
  readonly channel: string;
  readonly inbox: Inbox;
  readonly signal: AbortSignal;
  readonly onTrouble: (where: string, problem: unknown) => void;
}

/**
 * Brings the channel's log to the inbox, for ever. It begins at the newest assign if that speaks to this target, and
 * reads the whole log only if it does not. Settles when the newest order is known; false: the registry is away for now.
 */
export function followChannel({ registry, follow, channel, inbox, signal, onTrouble }: FollowOptions): Promise<boolean> {
  return new Promise((resolve) => {
    const run = async (): Promise<void> => {
      const after = await findStart();
      await follow(after, {
        signal,
        onEntries: async (entries, { isEnd, enclosed }) => {
          await inbox.take(entries, enclosed);
          if (isEnd) resolve(true);
        },
      });
    };
    const findStart = async (): Promise<Cursor | null> => {
      const backOff = new BackOff(200, 5000);
      while (!signal.aborted) {
        try {
          const head = await registry.head(channel);
          if (head !== null) await inbox.take([head]);
          if (head !== null && inbox.newest === null) return null;
          resolve(true);
          return head?.cursor ?? null;
        } catch (problem) {
          onTrouble("follow", problem);
          resolve(false);
          await wait(backOff.next(), signal);
        }
      }
      return null;
    };
    run().catch((problem: unknown) => {
      onTrouble("follow", problem);
      resolve(false);
    });
  });
}

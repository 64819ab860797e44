import type { Beat, Registry } from "@midflight/protocol";
import type { ChannelView } from "./channel-view.ts";

/** What a plan is made on beside the code: the channel's log and who runs. */
export interface Outlook {
  /** Looks, so that the next to plan need not wait for it. Never rejects: who plans then looks himself. */
  ahead(): Promise<void>;
  /** The beats of those who run, with the view up to date; as of a moment ago if somebody looked ahead. What changed since is met by the compare-and-set. */
  take(): Promise<readonly Beat[]>;
}

/** A large build takes this long to collect. */
const freshMs = 2_000;

export function openOutlook(registry: Registry, channel: string, view: ChannelView): Outlook {
  let seen: { readonly beats: readonly Beat[]; readonly atMs: number } | null = null;

  async function look(): Promise<readonly Beat[]> {
    const [beats] = await Promise.all([registry.presence(channel), view.refresh()]);
    return beats;
  }

  return {
    async ahead() {
      seen = await look().then(
        (beats) => ({ beats, atMs: performance.now() }),
        () => null,
      );
    },
    async take() {
      const before = seen;
      seen = null;
      return before !== null && performance.now() - before.atMs < freshMs ? before.beats : look();
    },
  };
}

import { instrumentationVersion } from "@midflight/planner";
import type { Registry } from "@midflight/protocol";
import type { TrustRoot } from "@midflight/trust";
import { openChannelView, type ChannelView } from "./channel-view.ts";

export interface NumberingOptions {
  readonly registry: Registry;
  readonly app: string;
  readonly channel: string;
  readonly root: TrustRoot;
  readonly view: ChannelView;
  readonly retry: <T>(call: () => Promise<T>) => Promise<T>;
}

/** Numbers of releases count up over all channels of the app. Answers the next one, as the view knows its channel now. */
export function openNumbering({ registry, app, channel, root, view, retry }: NumberingOptions): () => Promise<number> {
  let otherNumbers: Promise<number> | null = null;

  async function readOtherNumbers(): Promise<number> {
    let last = 0;
    for (const other of await retry(() => registry.channels())) {
      if (!other.startsWith(`${app}/`) || other === channel) continue;
      const otherView = openChannelView(registry, other, root, instrumentationVersion);
      await retry(() => otherView.refresh());
      last = Math.max(last, otherView.lastNumber);
    }
    return last;
  }

  return async () => {
    otherNumbers ??= readOtherNumbers();
    try {
      return Math.max(view.lastNumber, await otherNumbers) + 1;
    } catch (error) {
      otherNumbers = null;
      throw error;
    }
  };
}

import type { Assign, ReleaseId } from "@midflight/protocol";
import type { Publisher, PublishOutcome } from "@midflight/publisher";
import type { Connection } from "../operation/connect.ts";
import { openFollowed, type Followed } from "./followed.ts";

export interface TakingBack {
  readonly why?: string;
  /** Default: the release before the newest. */
  readonly to?: ReleaseId;
}

/**
 * Takes back what the newest assign says, if it is that, however far it has come meanwhile. Null: it is something else. Whoever was
 * first has done it already, or has made something live that nobody meant here.
 */
export async function takeBackNewest(followed: Pick<Followed, "refresh" | "newest">, publisher: Pick<Publisher, "rollback">, isIt: (newest: Assign) => boolean, { why, to }: TakingBack): Promise<PublishOutcome | null> {
  for (;;) {
    await followed.refresh();
    const now = followed.newest;
    if (now === null || !isIt(now.assign)) return null;
    const outcome = await publisher.rollback({ expect: now.id, maxRung: "replace", ...(why !== undefined && { why: why.slice(0, 1000) }), ...(to !== undefined && { to }) });
    if (outcome.kind !== "refused" || outcome.code !== "CHANNEL_HEAD_MOVED") return outcome;
  }
}

/** For a person, who may have looked a while ago: takes back the release that was live then, and no other. */
export async function takeBackSeen({ registry, config, secrets }: Connection, publisher: Pick<Publisher, "rollback">, seen: ReleaseId, how: TakingBack): Promise<PublishOutcome> {
  const outcome = await takeBackNewest(openFollowed(registry, config.channelName, secrets.root), publisher, ({ release }) => release === seen, how);
  return outcome ?? { kind: "refused", code: "CHANNEL_HEAD_MOVED", reason: "something else is live since you looked", rung: "patch", verdicts: [] };
}

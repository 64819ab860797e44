import type { Assign, Digest, Registry } from "@midflight/protocol";
import { verifyAssign, type TrustRoot } from "@midflight/trust";

export interface LiveAssign {
  readonly id: Digest;
  readonly assign: Assign;
}

/** What the channel says now: its newest assign, verified. Null before the first deploy. */
export async function readLive(registry: Registry, channelName: string, root: TrustRoot): Promise<LiveAssign | null> {
  const head = await registry.head(channelName);
  return head === null ? null : verifyAssign(head.envelope, root);
}

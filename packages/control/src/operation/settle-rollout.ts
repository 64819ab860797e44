import type { ReleaseId } from "@midflight/protocol";
import type { Publisher } from "@midflight/publisher";
import type { GateVerdict } from "../gates/gate.ts";
import { readLive } from "../live-release.ts";
import { awaitRollout, type RolloutResult } from "./await-rollout.ts";
import type { Connection } from "./connect.ts";
import { describeOpen, type Member } from "./fleet.ts";

/** An assign whose way through the fleet is followed. */
export interface Rollout {
  readonly release: ReleaseId;
  readonly number: number;
  readonly counter: number;
  /** What was live before, to go back to; null if nothing was. */
  readonly before: ReleaseId | null;
}

export interface SettleOptions {
  readonly signal: AbortSignal;
  readonly onChange?: (members: readonly Member[]) => void;
  /** A failed rollout is being taken back. */
  readonly onRollback?: (because: string) => void;
}

export type Settled =
  | { readonly kind: "confirmed"; readonly members: readonly Member[] }
  /** It failed, and every process is back on the release before. */
  | { readonly kind: "rolled-back"; readonly members: readonly Member[]; readonly backTo: number; readonly because: string; readonly failed: readonly Member[]; readonly verdict?: GateVerdict }
  /** Not all processes run the same release, or not all answer. */
  | { readonly kind: "mixed"; readonly members: readonly Member[]; readonly because: string }
  /** Somebody else's assign took its place. */
  | { readonly kind: "overtaken"; readonly members: readonly Member[]; readonly by: number }
  | { readonly kind: "left"; readonly members: readonly Member[] };

/**
 * Follows a rollout to its end. If a process says no, or takes it back, the whole channel goes back: a fleet ends on one release.
 */
export async function settleRollout(connection: Connection, publisher: Publisher, rollout: Rollout, options: SettleOptions): Promise<Settled> {
  const result = await awaitRollout(connection, { ...rollout, ...options });
  switch (result.kind) {
    case "confirmed":
    case "left":
      return result;
    case "silent":
      return { kind: "mixed", members: result.members, because: describeOpen(result.members) };
    case "overtaken":
      return follow(connection, result, options);
    case "refused":
      return goBack(connection, publisher, rollout, result, options);
  }
}

async function goBack(connection: Connection, publisher: Publisher, rollout: Rollout, result: RolloutResult, options: SettleOptions): Promise<Settled> {
  const failed = result.members.filter((member) => member.standing !== "confirmed");
  const because = describeOpen(failed);
  if (rollout.before === null) return { kind: "mixed", members: result.members, because };
  options.onRollback?.(because);
  const outcome = await publisher.rollback({ to: rollout.before, why: because.slice(0, 1000), maxRung: "replace" });
  if (outcome.kind === "refused") return { kind: "mixed", members: result.members, because: `${because}; and it could not be taken back: ${outcome.reason}` };
  const counter = outcome.kind === "published" ? outcome.counter : rollout.counter;
  const back = await awaitRollout(connection, { release: rollout.before, counter, ...options });
  if (back.kind !== "confirmed") return { kind: "mixed", members: back.members, because };
  return { kind: "rolled-back", members: back.members, backTo: outcome.number, because, failed };
}

/** Control takes a release back that cannot boot; that is an end of this rollout, too. */
async function follow(connection: Connection, result: RolloutResult, options: SettleOptions): Promise<Settled> {
  const live = await readLive(connection.registry, connection.config.channelName, connection.secrets.root);
  if (live === null || live.assign.cause !== "rollback") return { kind: "overtaken", members: result.members, by: live?.assign.number ?? 0 };
  const failed = result.members.filter((member) => member.standing !== "confirmed");
  const because = live.assign.why ?? "it was rolled back";
  options.onRollback?.(because);
  const back = await awaitRollout(connection, { release: live.assign.release, counter: live.assign.counter, ...options });
  if (back.kind !== "confirmed") return { kind: "mixed", members: back.members, because };
  return { kind: "rolled-back", members: back.members, backTo: live.assign.number, because, failed };
}

import type { ReleaseId, SwapOutcome, Wave } from "@midflight/protocol";
import type { Connection } from "../operation/connect.ts";
import { describeOpen, readFleet, type Member } from "../operation/fleet.ts";
import { pause } from "../operation/pause.ts";
import type { Settled } from "../operation/settle-rollout.ts";
import { openFollowed } from "./followed.ts";
import { readRollout } from "./record.ts";
import type { RolloutState } from "./state.ts";

export interface FollowedWaves {
  readonly release: ReleaseId;
  readonly wave: Wave;
}

export interface SettleWavesOptions {
  /** Ends the wait; the rollout goes on in control. */
  readonly signal: AbortSignal;
  readonly onChange?: (state: RolloutState | null, members: readonly Member[]) => void;
  /** How long nothing may change on the way back before it counts as not answering. Milliseconds. Default: 30 000. */
  readonly silentAfterMs?: number;
}

const pollMs = 100;

/** Follows a rollout by waves, which control drives, to its end. */
export async function settleWaves(connection: Connection, { release, wave }: FollowedWaves, options: SettleWavesOptions): Promise<Settled> {
  const { registry, config, secrets, layout } = connection;
  const followed = openFollowed(registry, config.channelName, secrets.root);
  let key = "";
  let changedAt = performance.now();
  for (;;) {
    await followed.refresh();
    const members = await readFleet(connection, (target) => followed.of(target)?.assign ?? null);
    const known = readRollout(layout);
    const state = known?.rollout === wave.rollout && known.release === release ? known : null;
    const now = JSON.stringify([state, members.map(({ target, standing, because }) => [target, standing, because])]);
    if (now !== key) changedAt = performance.now();
    key = now;
    options.onChange?.(state, members);
    const newest = followed.newest?.assign;
    switch (state?.phase) {
      case "done":
        return { kind: "confirmed", members: await withOutcomes(connection, release, members) };
      case "rolled-back":
        return { kind: "rolled-back", members, backTo: state.backTo ?? 0, because: state.because ?? "it was taken back", failed: await whoFailed(connection, release, members), ...(state.verdict !== null && { verdict: state.verdict }) };
      case "overtaken":
        return { kind: "overtaken", members, by: newest?.number ?? 0 };
      case "returning":
        if (performance.now() - changedAt > (options.silentAfterMs ?? 30_000)) return { kind: "mixed", members, because: `${state.because ?? "it was taken back"}; ${describeOpen(members)}` };
        break;
      default:
        // Somebody went back, or on, before control had seen that it began.
        if (state === null && newest !== undefined && newest.counter > wave.rollout && newest.wave?.rollout !== wave.rollout) return { kind: "overtaken", members, by: newest.number };
    }
    if (options.signal.aborted) return { kind: "left", members };
    await pause(pollMs, options.signal);
  }
}

/** How it went in each process was told of the wave that reached it, and not again of the later ones. */
async function withOutcomes({ registry, config }: Connection, release: ReleaseId, members: readonly Member[]): Promise<readonly Member[]> {
  const outcomes = await readOutcomes(registry, config.channelName, release);
  return members.map((member) => ({ ...member, outcome: member.outcome ?? outcomes.get(member.beat?.agent ?? "") ?? null }));
}

async function whoFailed({ registry, config }: Connection, release: ReleaseId, members: readonly Member[]): Promise<readonly Member[]> {
  const outcomes = await readOutcomes(registry, config.channelName, release);
  return members.flatMap((member) => {
    const outcome = outcomes.get(member.beat?.agent ?? "");
    return outcome === undefined || outcome.kind === "swapped" ? [] : [{ ...member, standing: outcome.kind, outcome }];
  });
}

/** The newest word of each agent on a release. */
async function readOutcomes(registry: Connection["registry"], channel: string, release: ReleaseId): Promise<ReadonlyMap<string, SwapOutcome>> {
  const reports = await registry.reports({ channel, release });
  return new Map(reports.toReversed().map(({ from, outcome }) => [from.agent, outcome]));
}

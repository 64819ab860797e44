import { MidflightError, type Wave } from "@midflight/protocol";
import { isRolloutOpen } from "@midflight/publisher";
import type { LiveAssign } from "../live-release.ts";
import type { Connection } from "../operation/connect.ts";
import { expectedTargets } from "../operation/fleet.ts";
import { pause } from "../operation/pause.ts";
import { openPublishing } from "../publishing.ts";
import { openFollowed } from "./followed.ts";
import { readRollout } from "./record.ts";
import { isOpen, type RolloutState } from "./state.ts";

/** A rollout that goes on, as a command finds it. */
export interface OpenRollout {
  readonly head: LiveAssign;
  readonly wave: Wave;
  /** What control knows of it; null if it has not looked yet. */
  readonly state: RolloutState | null;
  /** False: it has reached everybody, and waits for their word; it can be taken back, and nothing else. */
  readonly hasNext: boolean;
}

/** The rollout that goes on in the channel; null: none does. */
export async function readOpenRollout({ registry, config, secrets, layout }: Connection): Promise<OpenRollout | null> {
  const followed = openFollowed(registry, config.channelName, secrets.root);
  await followed.refresh();
  const head = followed.newest;
  const wave = head?.assign.wave;
  if (head === null || wave === undefined) return null;
  const known = readRollout(layout);
  const state = known?.rollout === wave.rollout && known.release === head.assign.release ? known : null;
  const hasNext = isRolloutOpen(head.assign);
  return hasNext || isOpen(state) ? { head, wave, state, hasNext } : null;
}

/** @throws MidflightError `ROLLOUT_NONE` */
export async function requireOpenRollout(connection: Connection): Promise<OpenRollout> {
  const open = await readOpenRollout(connection);
  if (open !== null) return open;
  throw new MidflightError("ROLLOUT_NONE", {
    what: "No rollout goes on.",
    why: "none was begun, or the last one is at its end.",
    state: "nothing was done.",
    fix: ["midflight status"],
  });
}

/**
 * `pause`: no wave follows before somebody says so; gates go on judging. `promote`: the next wave follows now, also of one that
 * is paused or held.
 * @throws MidflightError `ROLLOUT_NONE`, `CHANNEL_HEAD_MOVED`
 */
export async function steerRollout(connection: Connection, { head, hasNext }: OpenRollout, verb: "pause" | "promote", why: string): Promise<{ readonly step: number; readonly counter: number }> {
  const { registry, config, secrets } = connection;
  const { publisher } = openPublishing(registry, config, secrets);
  const outcome = hasNext ? await publisher.proceed({ expect: head.id, action: verb === "pause" ? "pause" : "next", names: [...expectedTargets(config).keys()], why }) : { kind: "none" as const };
  if (outcome.kind === "proceeded") return outcome;
  if (outcome.kind === "moved") {
    throw new MidflightError("CHANNEL_HEAD_MOVED", { what: "The rollout went on at the same moment.", why: "control, or somebody else, was first.", state: "nothing was done.", fix: ["midflight status"], retryable: true });
  }
  throw new MidflightError("ROLLOUT_NONE", { what: `There is nothing to ${verb}.`, why: "the last wave has reached every process already.", state: "nothing was done.", fix: ["midflight status --watch", "midflight abort   (takes it back)"] });
}

/**
 * Waits until no rollout goes on, its last wave included: one that came before would be overtaken. False: one still does when the time is over.
 * @param onHeld told who holds the channel, whenever that changes
 */
export async function awaitUnlocked(connection: Connection, waitMs: number, signal: AbortSignal, onHeld: (open: OpenRollout) => void): Promise<boolean> {
  const deadline = performance.now() + waitMs;
  for (let key = ""; ; ) {
    const open = await readOpenRollout(connection);
    if (open === null) return true;
    const now = `${open.head.id} ${open.state?.phase}`;
    if (now !== key) onHeld(open);
    key = now;
    if (signal.aborted || performance.now() >= deadline) return false;
    await pause(Math.min(250, Math.max(1, deadline - performance.now())), signal);
  }
}

import { MidflightError, type Registry } from "@midflight/protocol";
import type { Publisher } from "@midflight/publisher";
import { asMidflightError } from "@midflight/supervisor";
import type { ResolvedConfig } from "../config/resolved-config.ts";
import type { ControlEvent, Listen } from "../event.ts";
import type { Gate } from "../gates/gate.ts";
import { expectedTargets, readFleet } from "../operation/fleet.ts";
import type { Layout } from "../project/layout.ts";
import type { Followed } from "./followed.ts";
import { next } from "./next.ts";
import { readRollout, writeRollout } from "./record.ts";
import { standingOf } from "./standing.ts";
import { isOpen, type RolloutEvent, type RolloutRules, type RolloutState } from "./state.ts";

export interface RolloutKeeperOptions {
  readonly config: ResolvedConfig;
  readonly layout: Layout;
  readonly registry: Registry;
  readonly publisher: Publisher;
  readonly followed: Followed;
  /** Null: none is configured. */
  readonly gate: Gate | null;
  readonly listen: Listen;
  /** Epoch ms. */
  readonly now?: () => number;
}

export interface RolloutKeeper {
  /** What else happens in control: a process of a wave that ends by itself fails it. */
  hear(event: ControlEvent): void;
  close(): Promise<void>;
}

const checkMs = 250;
const judgeEveryMs = 1_000;

/**
 * Drives the rollout that the log says is going on: looks, decides by `next`, writes that down, and only then does it. Whoever
 * appended its first wave may be gone; a control that is killed at any point is followed by one that finds the same.
 */
export function openRolloutKeeper(options: RolloutKeeperOptions): RolloutKeeper {
  const { config, layout, registry, publisher, followed, gate, listen, now = Date.now } = options;
  const rules: RolloutRules = { deadlineMs: config.rollout.deadlineMs, hasGate: gate !== null };
  const expected = new Set(expectedTargets(config).keys());
  let state = readRollout(layout);
  let judgedAt = -Infinity;
  let isJudging = false;
  let isClosing = false;
  let isQueued = false;
  let lastTrouble = "";
  const fallen: RolloutEvent[] = [];
  let working: Promise<void> = Promise.resolve();

  function meet(event: RolloutEvent): void {
    const after = next(state, event, rules);
    if (after === state || after === null) return;
    const before = state;
    // Written down first: what follows from it is done again if it is not seen in the log.
    writeRollout(layout, after);
    state = after;
    if (before?.phase !== after.phase || before.step !== after.step || before.rollout !== after.rollout) listen({ kind: "rollout", rollout: after });
  }

  /** What could not be written down when it was heard, as on a full disk. */
  function meetFallen(): void {
    for (let event = fallen[0]; event !== undefined; event = fallen[0]) {
      meet(event);
      fallen.shift();
    }
  }

  async function look(): Promise<void> {
    meetFallen();
    await followed.refresh();
    const head = followed.newest;
    if (head === null) return;
    meet({ kind: "log", at: now(), head });
    if (!isOpen(state)) return;
    const standing = standingOf(head.assign, await readFleet(options, (target) => followed.of(target)?.assign ?? null), expected);
    meet({ kind: "standing", at: now(), counter: head.assign.counter, standing });
    judge(state);
    meet({ kind: "tick", at: now() });
    await act(state);
  }

  /** Beside everything else: an answer from elsewhere may take its time, and a way back does not wait for it. */
  function judge({ phase, counter, wave, release, before, waveSince }: RolloutState): void {
    if (gate === null || isJudging || (phase !== "baking" && phase !== "held" && phase !== "paused") || now() - judgedAt < judgeEveryMs) return;
    isJudging = true;
    judgedAt = now();
    void gate
      .judge({ wave, release, before, sinceMs: waveSince })
      .then((verdict) => meet({ kind: "verdict", at: now(), counter, verdict }))
      .catch(tellTrouble)
      .finally(() => {
        isJudging = false;
        queue();
      });
  }

  /** Does what was decided. If somebody was first, the log tells at the next look. */
  async function act({ phase, head, before, number, because }: RolloutState): Promise<void> {
    if (isClosing) return;
    if (phase === "widening") await publisher.proceed({ expect: head, action: "next", names: [...expected], why: "the wave before it did well" });
    if (phase !== "aborting") return;
    const outcome = await publisher.rollback({ to: before, expect: head, why: (because ?? "it was aborted").slice(0, 1000), maxRung: "replace" });
    if (outcome.kind === "refused" && outcome.code !== "CHANNEL_HEAD_MOVED") {
      throw new MidflightError("FLEET_MIXED", { what: `r${number} could not be taken back.`, why: outcome.reason, state: "its wave runs it, the others do not.", fix: ["midflight rollback", "midflight promote"] });
    }
  }

  function tellTrouble(error: unknown): void {
    const trouble = asMidflightError(error, "Control could not look after a rollout.");
    // It looks again soon, and would find the same.
    if (!isClosing && trouble.message !== lastTrouble) listen({ kind: "trouble", error: trouble });
    lastTrouble = trouble.message;
  }

  const queue = (): void => {
    if (isClosing || isQueued) return;
    isQueued = true;
    working = working.then(async () => {
      isQueued = false;
      if (isClosing) return;
      try {
        await look();
        lastTrouble = "";
      } catch (error) {
        tellTrouble(error);
      }
    });
  };
  // Those who follow the channel hear of it first.
  const unsubscribe = registry.onPoke(config.channelName, () => void setImmediate(queue));
  const timer = setInterval(queue, checkMs);
  queue();

  return {
    hear: (event) => {
      if (event.kind !== "process-failed" || !event.wasReady) return;
      fallen.push({ kind: "fell", at: now(), target: event.target, because: event.because });
      try {
        meetFallen();
      } catch (error) {
        tellTrouble(error);
      }
      queue();
    },
    close: async () => {
      isClosing = true;
      clearInterval(timer);
      unsubscribe();
      await working;
    },
  };
}

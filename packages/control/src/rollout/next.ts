import type { GateVerdict } from "../gates/gate.ts";
import type { LiveAssign } from "../live-release.ts";
import { isOpen, type Phase, type RolloutEvent, type RolloutRules, type RolloutState, type WaveStanding } from "./state.ts";

/**
 * What becomes of a rollout by one event. Pure and total: every event is met in every phase, and the log is always right
 * about how far it has come. Null: there is none.
 */
export function next(state: RolloutState | null, event: RolloutEvent, rules: RolloutRules): RolloutState | null {
  if (event.kind === "log") return afterLog(state, event.head, event.at);
  if (!isOpen(state)) return state;
  switch (event.kind) {
    case "standing":
      return event.counter === state.counter ? afterStanding(state, event.standing, event.at, rules) : state;
    case "verdict":
      return event.counter === state.counter ? afterVerdict(state, event.verdict, event.at) : state;
    case "fell":
      return canFail.includes(state.phase) && state.wave.includes(event.target) ? enter(state, "aborting", event.at, `${event.target} ended by itself: ${event.because}`) : state;
    case "tick":
      return afterTick(state, event.at, rules);
  }
}

/** Phases in which the release is still wanted. */
const canFail: readonly Phase[] = ["rolling", "baking", "held", "paused", "widening"];

function enter(state: RolloutState, phase: Phase, at: number, because: string | null = null): RolloutState {
  return { ...state, phase, phaseSince: at, because };
}

function afterLog(state: RolloutState | null, head: LiveAssign, at: number): RolloutState | null {
  const { assign, id } = head;
  if (isOpen(state) && state.head === id) return state;
  const { wave } = assign;
  const isOwn = state !== null && state.epoch === assign.epoch && wave?.rollout === state.rollout;
  if (wave !== undefined && !isOwn) return begin(head, at);
  if (!isOpen(state)) return state;
  if (wave === undefined) {
    const isBack = assign.cause === "rollback" && assign.release !== state.release;
    const moved = { ...state, head: id, counter: assign.counter };
    return isBack ? enter({ ...moved, backTo: assign.number }, "returning", at, state.phase === "aborting" ? state.because : (assign.why ?? `${assign.by} took it back`)) : enter(moved, "overtaken", at, `r${assign.number} was deployed`);
  }
  const moved = { ...state, head: id, counter: assign.counter, step: wave.step };
  // It was decided that it fails; whoever widened it meanwhile did not know.
  if (state.phase === "aborting" || state.phase === "returning") return { ...moved, phase: "aborting" };
  if (wave.mode === "paused") return enter(moved, "paused", at, assign.why);
  return enter({ ...moved, waveSince: at, confirmed: 0, confirmedSince: at, verdict: null }, "rolling", at);
}

function begin({ id, assign }: LiveAssign, at: number): RolloutState {
  const { rollout, step, steps, bakeMs, before, mode } = assign.wave!;
  const { epoch, release, number, by, counter } = assign;
  return {
    epoch, rollout, release, number, before, backTo: null, by, startedAt: at, steps, step, bakeMs, head: id, counter,
    phase: mode === "paused" ? "paused" : "rolling", phaseSince: at, waveSince: at, confirmed: 0, confirmedSince: at, wave: [], verdict: null, because: mode === "paused" ? assign.why : null,
  };
}

function afterStanding(before: RolloutState, standing: WaveStanding, at: number, { deadlineMs }: RolloutRules): RolloutState {
  if (before.phase === "returning") return standing.kind === "confirmed" ? { ...before, phase: "rolled-back", phaseSince: at } : before;
  if (!canFail.includes(before.phase)) return before;
  // On the way back it stays: those that ran the release.
  const isSame = before.wave.length === standing.wave.length && before.wave.every((name, i) => standing.wave[i] === name);
  const state = isSame ? before : { ...before, wave: standing.wave };
  switch (standing.kind) {
    case "failed":
      return enter(state, "aborting", at, standing.because);
    case "confirmed":
      if (state.phase !== "rolling") return state;
      return enter(state, isLast(state) ? "done" : "baking", at);
    case "moving":
      // A process is started anew: it has to show again that it can stay.
      if (state.phase === "baking" || state.phase === "held") return enter(progress(state, standing.confirmed, at), "rolling", at);
      if (state.phase !== "rolling") return state;
      // Many processes that are replaced one after the other take their time; one that hangs does not.
      if (standing.confirmed !== state.confirmed) return progress(state, standing.confirmed, at);
      return at - state.confirmedSince > deadlineMs ? enter(state, "aborting", at, `not confirmed within ${Math.round(deadlineMs / 1000)} s: ${standing.because}`) : state;
  }
}

function progress(state: RolloutState, confirmed: number, at: number): RolloutState {
  return { ...state, confirmed, confirmedSince: at };
}

function afterVerdict(state: RolloutState, verdict: GateVerdict, at: number): RolloutState {
  if (state.phase !== "baking" && state.phase !== "held" && state.phase !== "paused") return state;
  const judged = { ...state, verdict };
  if (verdict.kind === "failed") return enter(judged, "aborting", at, verdict.because ?? "a gate failed");
  if (!hasBaked(state, at)) return judged;
  if (verdict.kind === "ok") return enter(judged, "widening", at);
  return { ...(state.phase === "held" ? judged : enter(judged, "held", at)), because: verdict.because ?? "the gates cannot say yet" };
}

function afterTick(state: RolloutState, at: number, { hasGate }: RolloutRules): RolloutState {
  return state.phase === "baking" && !hasGate && hasBaked(state, at) ? enter(state, "widening", at) : state;
}

/** Held waves have: they are held because the time was up. Of what a person paused, nobody counts the time. */
function hasBaked(state: RolloutState, at: number): boolean {
  return state.phase === "held" || (state.phase === "baking" && at - state.phaseSince >= state.bakeMs);
}

function isLast(state: RolloutState): boolean {
  return state.step === state.steps.length - 1;
}

import { appliesTo, type Assign } from "./assign.ts";

/** Newest counter a target has obeyed, kept across restarts so that an old assign cannot be replayed. */
export interface CounterFloor {
  readonly epoch: number;
  readonly counter: number;
}

/** Negative if `a` comes before `b`. */
export function compareCounters(a: CounterFloor, b: CounterFloor): number {
  return a.epoch - b.epoch || a.counter - b.counter;
}

/**
 * Folds a channel's assigns to the one that a target has to follow: the newest by epoch and counter that speaks
 * to it. It never walks through one that a newer has overtaken. Order and repetition of the input do not matter.
 * Null: nothing is assigned to this target.
 */
export function foldAssigns(assigns: Iterable<Assign>, target: string): Assign | null {
  let best: Assign | null = null;
  for (const assign of assigns) {
    if (!appliesTo(assign.targets, target)) continue;
    if (best === null || compareCounters(assign, best) > 0) best = assign;
  }
  return best;
}

/** Newest counter a target has obeyed, kept across restarts so that an old assign cannot be replayed. */
export interface CounterFloor {
  readonly epoch: number;
  readonly counter: number;
}

/** Negative if `a` comes before `b`. */
export function compareCounters(a: CounterFloor, b: CounterFloor): number {
  return a.epoch - b.epoch || a.counter - b.counter;
}

import { createRandom } from "../random.ts";

export type Arrivals = "constant" | "poisson";

/** Says when request `i` is due, in milliseconds after the start. Ask in order of `i`. */
export type Schedule = (i: number) => number;

/**
 * A schedule that is settled before the first request goes out: nothing the server does can move it.
 * Poisson arrivals are drawn from `seed`, so that a run can be repeated.
 */
export function createSchedule(ratePerSecond: number, arrivals: Arrivals = "constant", seed = 1): Schedule {
  if (!(ratePerSecond > 0 && Number.isFinite(ratePerSecond))) throw new RangeError(`a rate is more than 0 per second, not ${ratePerSecond}`);
  const meanGapMs = 1000 / ratePerSecond;
  if (arrivals === "constant") return (i) => i * meanGapMs;
  const random = createRandom(seed);
  let index = 0;
  let dueMs = 0;
  return (i) => {
    for (; index < i; index += 1) dueMs -= Math.log(1 - random()) * meanGapMs;
    return dueMs;
  };
}

import { readProcessRecords } from "@midflight/supervisor";
import type { Connection } from "./connect.ts";
import { expectedTargets } from "./fleet.ts";

/** A process that a replacement would end before the next one starts. */
export interface Restart {
  readonly target: string;
  readonly because: string;
}

export interface Restarts {
  /** How many the configuration asks for. */
  readonly processes: number;
  readonly restarts: readonly Restart[];
}

/** Which of the processes could not hand over, as far as is known. */
export function readRestarts({ layout, config }: Connection): Restarts {
  const expected = expectedTargets(config);
  const restarts = readProcessRecords(layout).flatMap(({ target, restartsBecause }) => (restartsBecause === null || !expected.has(target) ? [] : [{ target, because: restartsBecause }]));
  return { processes: expected.size, restarts };
}

import { repositoryRoot } from "@midflight/testkit";
import { openNewcomer, withinMs } from "./newcomer.ts";

/** Milliseconds, each since the one before. */
export interface TourTimes {
  readonly clone: number;
  /** `npm start`: packages, the build. */
  readonly setUp: number;
  /** The shop starts, the load begins, the first edit is live on both processes. */
  readonly live: number;
  readonly rest: number;
}

/** `git clone`, `npm start -- --once`. */
export async function timeTour(): Promise<TourTimes> {
  const newcomer = await openNewcomer();
  try {
    const begunMs = performance.now();
    await newcomer.run(".", "git", "clone", "--quiet", "--no-local", repositoryRoot, "midflight");
    const clonedMs = performance.now();
    const tour = await newcomer.start("midflight", "npm", "start", "--", "--once");
    await tour.waitForLine(/^A shop under load/, { timeoutMs: withinMs });
    const setUpMs = performance.now();
    await tour.waitForLine(/^ {2}Live /, { timeoutMs: withinMs });
    const liveMs = performance.now();
    const { code } = await tour.exited;
    const endedMs = performance.now();
    if (code !== 0) throw new Error(`the tour ended with ${code}\n${tour.stdout.lines.slice(-20).join("\n")}`);
    return { clone: clonedMs - begunMs, setUp: setUpMs - clonedMs, live: liveMs - setUpMs, rest: endedMs - liveMs };
  } finally {
    await newcomer.close();
  }
}

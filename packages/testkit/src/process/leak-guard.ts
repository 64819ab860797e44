import { after, afterEach, beforeEach } from "node:test";
import { forgetGroup, isGroupGoneWithin, livingGroups, signalGroup } from "./process-groups.ts";

/** A child that was told to end, or noticed that its parent is gone, may need this long where many run. */
const GRACE_MS = 10_000;

/**
 * Makes every test fail that leaves a process behind which it started, or a child of one, and ends it.
 * A process that a `before` hook started may live until the last test is over.
 *
 * Call it once at the top of a `describe`, after the suite's own `after` hook if it has one. Not where tests run at the
 * same time: theirs cannot be told apart.
 */
export function guardAgainstLeaks(): void {
  let present = new Set<number>();
  beforeEach(() => {
    present = new Set(livingGroups().map((group) => group.pid));
  });
  afterEach(() => endLeaked((pid) => !present.has(pid)));
  after(() => endLeaked(() => true));
}

async function endLeaked(isLeak: (pid: number) => boolean): Promise<void> {
  const leaked: string[] = [];
  for (const { pid, title } of livingGroups()) {
    if (!isLeak(pid) || (await isGroupGoneWithin(pid, GRACE_MS))) continue;
    leaked.push(`${title} (group ${pid})`);
    signalGroup(pid, "SIGKILL");
    forgetGroup(pid);
  }
  if (leaked.length > 0) throw new Error(`left running: ${leaked.join(", ")}`);
}

import { readdir } from "node:fs/promises";
import path from "node:path";
import { layoutOf, readRunningControl } from "@midflight/control";
import { adopt } from "../../packages/supervisor/src/child.ts";
import { isRunning } from "../../packages/supervisor/src/process-identity.ts";
import { readProcessRecords } from "../../packages/supervisor/src/process-table.ts";
import { openRepository } from "./git.ts";
import { isEdited, removeCopy, tourPlace } from "./shop-copy.ts";

const endWithinMs = 5000;

/**
 * Ends the processes of tours that were killed, and removes their copies unless somebody edited them. A process is a
 * tour's own only if its number and its start time are those that were written down.
 */
export async function clearLeftovers(root: string, variables: Readonly<Record<string, string | undefined>>): Promise<void> {
  const names = await readdir(tourPlace(root)).catch(() => []);
  for (const name of names.filter((one) => one.startsWith("tour-"))) {
    const folder = path.join(tourPlace(root), name);
    const layout = layoutOf(folder);
    if (readRunningControl(layout) !== null) continue;
    const orphans = readProcessRecords(layout).flatMap(({ identity }) => (identity !== null && isRunning(identity) ? [identity] : []));
    await Promise.all(orphans.map((identity) => adopt(identity).stop(endWithinMs)));
    // Only what ran can have been left behind; another tour may just be making its copy.
    if (orphans.length > 0 && !(await isEdited(folder, openRepository(folder, variables)))) await removeCopy(folder);
  }
}

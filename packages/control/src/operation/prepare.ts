import { readFolder, type Publisher, type ReleasePlan } from "@midflight/publisher";
import { scopeOf } from "../config/app-scope.ts";
import { openPublishing } from "../publishing.ts";
import type { Connection } from "./connect.ts";

/** A deploy that is planned and has no effect yet. */
export interface Prepared {
  readonly plan: ReleasePlan;
  readonly publisher: Publisher;
}

/**
 * Reads the project's files and plans what publishing them would do.
 * @throws MidflightError `UNIT_SYNTAX`, `BUILD_UNRESOLVED_IMPORT`, `ENTRY_MISSING`, `CODE_DIRECTORY_MISSING`, `BUILD_UNSETTLED`
 */
export async function prepareDeploy(connection: Connection): Promise<Prepared> {
  const { collector, publisher } = openPublishing(connection.registry, connection.config, connection.secrets);
  const tree = await collector.collect(await readFolder(scopeOf(connection.config)));
  return { plan: await publisher.plan(tree), publisher };
}

/** A publisher for what needs no files: going back, or to a release that exists. */
export function openAssigner(connection: Connection): Publisher {
  return openPublishing(connection.registry, connection.config, connection.secrets).publisher;
}

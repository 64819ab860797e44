import type { ReleaseId, Rung, UnitVerdict } from "@midflight/protocol";
import type { CollectedTree } from "./collect.ts";
import type { Agentless } from "./agentless.ts";
import { findDiffering, mergeVerdicts, nothingEarlier, planRoute, type Place } from "./routes.ts";

/** What a process that was started from one tree needs to become another. */
export interface TreePlan {
  /** True if the trees, and what they depend on, are the same. */
  readonly isUnchanged: boolean;
  readonly rung: Rung;
  readonly verdicts: readonly UnitVerdict[];
}

/**
 * Plans from tree to tree, with no registry and no process: what `Publisher.plan` would tell where all processes were
 * started from `from`. Collect both with the same analyses, so that what did not change is analysed once.
 */
export function planBetween(from: CollectedTree, to: CollectedTree, agentless?: Agentless): TreePlan {
  // A checkout without `node_modules` says nothing of where its names lead: as in the other, then.
  const [boot, target] = [placeOf(from, to), placeOf(to, from)];
  const route = planRoute(boot, target, { ...nothingEarlier, ...(agentless !== undefined && { agentless }) });
  const verdicts = mergeVerdicts([route], findDiffering(boot, target));
  return { isUnchanged: from.root === to.root && from.lock === to.lock && from.dependencies?.digest === to.dependencies?.digest, rung: route.plan.rung, verdicts };
}

/** No release was made of it; that of a route is never asked for. */
const unreleased: ReleaseId = "sha256:";

function placeOf({ shape, files }: CollectedTree, other: CollectedTree): Place {
  const links = shape.links === undefined || shape.links.size === 0 ? other.shape.links : shape.links;
  return { id: unreleased, shape: links === shape.links ? shape : { ...shape, ...(links !== undefined && { links }) }, files };
}

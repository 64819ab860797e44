import { describeChange, instrumentationVersion } from "@midflight/planner";
import { exceedsRung, isMidflightError, type Assign, type Beat, type Digest, type ReleaseId, type Rung, type UnitVerdict } from "@midflight/protocol";
import type { Agentless } from "./agentless.ts";
import type { ChannelView } from "./channel-view.ts";
import type { CollectedTree } from "./collect.ts";
import type { ReleaseShape, ReleaseShapes } from "./release-shapes.ts";
import { findDiffering, mergeVerdicts, planRoute, rungOf, type Place, type Route } from "./routes.ts";

/** All that a publish has to bring, before anything is signed. */
export interface Draft {
  /** Id of the assign it is made on. */
  readonly head: Digest | null;
  readonly live: DraftLive | null;
  /** To the target, from each boot release that is alive; from the live one if none is. */
  readonly forward: readonly Route[];
  /** From each of them to what is live now, in case that the target fails; those that the log lacks. */
  readonly back: readonly Route[];
  /** Strongest rung over the processes that run, or from what is live if none does. */
  readonly rung: Rung;
  readonly verdicts: readonly UnitVerdict[];
  /** How many agents run on each boot release. */
  readonly agents: ReadonlyMap<ReleaseId, number>;
}

export interface DraftLive {
  readonly assign: Assign;
  readonly shape: ReleaseShape;
}

/** Stands for the release that is still to be signed. */
export const unsigned: ReleaseId = "sha256:";

export function placeOfTree(tree: CollectedTree): Place {
  return { id: unsigned, shape: tree.shape, files: tree.files };
}

export async function placeOf(shapes: ReleaseShapes, id: ReleaseId): Promise<Place> {
  const { shape, files } = await shapes.get(id);
  return { id, shape, files };
}

/** Plans the ways to a target and back. Reads only. */
export async function makeDraft(beats: readonly Beat[], view: ChannelView, shapes: ReleaseShapes, target: Place, agentless?: Agentless): Promise<Draft> {
  const agents = new Map<ReleaseId, number>();
  for (const { boot } of beats) if (boot !== null) agents.set(boot, (agents.get(boot) ?? 0) + 1);
  const assign = view.live;
  const live = assign === null ? null : { assign, shape: await shapes.get(assign.release) };
  const wayBack = assign === null ? null : await placeOf(shapes, assign.release);
  const forward: Route[] = [];
  const back: Route[] = [];
  const boots = agents.size > 0 || assign === null ? [...agents.keys()] : [assign.release];
  for (const boot of boots) {
    const from = await placeOf(shapes, boot).catch(nullIfUnknown);
    if (from === null) continue;
    const touched = view.touched(boot);
    const earlier = { touched, reloaded: view.reloaded(boot), added: view.added(boot), live: wayBack?.shape ?? null, ...(agentless !== undefined && { agentless }) };
    const there = planRoute(from, target, earlier);
    const grown = new Set([...touched, ...there.plan.units.map(({ unit }) => unit)]);
    forward.push({ ...there, isKnown: view.hasRoute(boot, target.id) });
    const isBackKnown = wayBack === null || (grown.size === touched.size && view.hasRoute(boot, wayBack.id));
    if (!isBackKnown) back.push(planRoute(from, wayBack, { ...earlier, touched: grown, live: target.shape, reloaded: new Set([...earlier.reloaded, ...reloadedBy(there)]) }));
  }
  const differing = wayBack === null ? null : findDiffering(wayBack, target);
  const planned = new Set(forward.flatMap((route) => route.plan.verdicts));
  const verdicts = mergeVerdicts(forward, differing).map((verdict) => {
    // What a verdict on packages speaks of is no file, and is compared with what is live nowhere.
    const isUntouched = differing !== null && !differing.has(verdict.unit) && target.files.has(verdict.unit);
    if (isUntouched) return { ...verdict, reason: `since the start: ${verdict.reason}` };
    return planned.has(verdict) ? sinceLive(verdict, wayBack, target, wayBack !== null && agents.has(wayBack.id)) : verdict;
  });
  return { head: view.head, live, forward, back, rung: rungOf(forward), verdicts, agents };
}

/** A verdict holds from what processes started with; people ask what becomes of what is live. */
function sinceLive(verdict: UnitVerdict, live: Place | null, target: Place, isBooted: boolean): UnitVerdict {
  const [before, after] = [live, target].map((place) => place?.shape?.units.get(verdict.unit));
  if (before === undefined || after === undefined || before === after || exceedsRung(verdict.rung, "redefine")) return verdict;
  const change = describeChange(before, after);
  if (change === null) return isBooted ? verdict : { ...verdict, reason: `since the start: ${verdict.reason}` };
  if (change.reason === verdict.reason) return verdict;
  return { ...verdict, reason: change.rung === verdict.rung ? change.reason : `${change.reason}; since the start also: ${verdict.reason}` };
}

function reloadedBy({ plan }: Route): readonly string[] {
  return plan.verdicts.filter(({ rung }) => rung === "reload").map(({ unit }) => unit);
}

/** True if the tree is what is live, made in the same way. */
export function isLive(tree: CollectedTree, { live }: Draft): boolean {
  if (live === null) return false;
  const { release } = live.shape;
  return release.tree === tree.root && release.lock === tree.lock && (release.dependencies ?? null) === (tree.dependencies?.digest ?? null) && release.instrumentation === instrumentationVersion;
}

/** A process may have booted a release that is not kept any more; it has to be replaced when its time comes. */
function nullIfUnknown(error: unknown): null {
  if (isMidflightError(error) && error.code === "RELEASE_UNKNOWN") return null;
  throw error;
}

import { instrumentationVersion, planTransition, type AppShape, type Plan } from "@midflight/planner";
import { strongerRung, type Blob, type Digest, type FlatTree, type ReleaseId, type Rung, type Transition, type UnitVerdict } from "@midflight/protocol";
import { sha256 } from "@midflight/trust";

/** One end of a route. */
export interface Place {
  readonly id: ReleaseId;
  /** Null: nothing is known of it that a transition could be made from. */
  readonly shape: AppShape | null;
  readonly files: FlatTree;
}

/** How processes that booted one release become another. */
export interface Route {
  readonly from: ReleaseId;
  readonly to: Place;
  readonly plan: Plan;
  /** True if the log has this transition already. */
  readonly isKnown: boolean;
}

/** Plans one route. `touched`: units that other transitions from the same boot release name. */
export function planRoute(from: Place, to: Place, touched: ReadonlySet<string>): Route {
  const plan = from.shape === null || to.shape === null ? incomparable() : planTransition({ boot: from.shape, target: to.shape, touched, hash: sha256 });
  return { from: from.id, to, plan, isKnown: false };
}

function incomparable(): Plan {
  const reason = "the release was made by another version of midflight";
  return { rung: "replace", verdicts: [{ unit: "instrumentation", rung: "replace", reason, evidence: [], rejected: [] }], units: [], added: [] };
}

/** The transition as it is signed, and the blobs that it names beside those of its target's tree. */
export function createTransition(route: Route, to: ReleaseId): { readonly transition: Transition; readonly blobs: readonly Blob[]; readonly artifacts: readonly Digest[] } {
  const { from, plan } = route;
  const blobs: Blob[] = [];
  const units = plan.units.map(({ unit, birth, ops }) => {
    const bytes = Buffer.from(JSON.stringify(ops));
    const digest = sha256(bytes);
    blobs.push({ digest, bytes });
    return { unit, birth, ops: digest, artifact: ops.artifact };
  });
  const added = plan.added.map(({ unit, format }) => {
    const entry = route.to.files.get(unit);
    if (entry?.kind !== "unit") throw new TypeError(`${unit} is planned as a unit and is none`);
    return { unit, format, artifact: entry.artifact };
  });
  const { rung, verdicts } = plan;
  const transition: Transition = { from, to, instrumentation: instrumentationVersion, rung, verdicts, units, added };
  return { transition, blobs, artifacts: [...units, ...added].map((unit) => unit.artifact) };
}

/** The strongest rung of some routes; `patch` of none: where nothing runs, nothing is disturbed. */
export function rungOf(routes: readonly Route[]): Rung {
  return routes.reduce<Rung>((strongest, route) => strongerRung(strongest, route.plan.rung), "patch");
}

/**
 * One verdict per unit that differs from what is live: the strongest over the processes that run, and also what forces
 * one of them to be replaced for a change that came before.
 */
export function mergeVerdicts(fromLive: Route | null, alive: readonly Route[]): readonly UnitVerdict[] {
  if (alive.length === 0) return fromLive?.plan.verdicts ?? [];
  const differing = fromLive === null ? null : new Set(fromLive.plan.verdicts.map((verdict) => verdict.unit));
  const merged = new Map<string, UnitVerdict>();
  for (const { plan } of alive) {
    for (const verdict of plan.verdicts) {
      if (differing !== null && !differing.has(verdict.unit) && verdict.rung !== "replace") continue;
      const before = merged.get(verdict.unit);
      if (before === undefined || strongerRung(before.rung, verdict.rung) !== before.rung) merged.set(verdict.unit, verdict);
    }
  }
  for (const verdict of fromLive?.plan.verdicts ?? []) if (!merged.has(verdict.unit)) merged.set(verdict.unit, verdict);
  return [...merged.values()].sort((a, b) => (a.unit < b.unit ? -1 : 1));
}

import { instrumentationVersion, planTransition, type AppShape, type Plan } from "@midflight/planner";
import { strongerRung, type Blob, type Digest, type FileEntry, type FlatTree, type ReleaseId, type Rung, type Transition, type UnitVerdict } from "@midflight/protocol";
import { sha256 } from "@midflight/trust";
import type { Agentless } from "./agentless.ts";
import type { Added } from "./channel-view.ts";
import { mapDigestOf } from "./unit-maps.ts";

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

/** What other transitions from the same boot release may have done in a process. */
export interface Earlier {
  /** Units that they name. */
  readonly touched: ReadonlySet<string>;
  /** Units whose top level they ran again. */
  readonly reloaded: ReadonlySet<string>;
  /** What they may have loaded. */
  readonly added: Added;
  /** What runs now; null: not known. */
  readonly live: AppShape | null;
  /** Tells the service whose code a file is, if that runs without an agent. Default: none does. */
  readonly agentless?: Agentless;
}

export const nothingEarlier: Earlier = { touched: new Set(), reloaded: new Set(), added: new Map(), live: null };

/** Plans one route. */
export function planRoute(from: Place, to: Place, { touched, reloaded, added, live, agentless }: Earlier): Route {
  const plan = from.shape === null || to.shape === null ? incomparable() : planTransition({ boot: from.shape, target: to.shape, touched, reloaded, ...(live !== null && { live }), hash: sha256 });
  return { from: from.id, to, plan: refuseAgentless(refuseChangedAdditions(plan, to, added), from, to, agentless), isKnown: false };
}

/** Where no agent is, only a new process can run changed code. What no such service has as its code is nothing to it. */
function refuseAgentless(plan: Plan, from: Place, to: Place, agentless: Agentless | undefined): Plan {
  if (agentless === undefined) return plan;
  const changed = new Map([...findDiffering(from, to)].flatMap((path) => {
    const service = agentless(path);
    return service === null ? [] : [[path, service] as const];
  }));
  if (changed.size === 0) return plan;
  const others = plan.verdicts.filter(({ unit }) => !changed.has(unit));
  const own = [...changed].map(([unit, service]): UnitVerdict => ({ unit, rung: "replace", reason: `code of ${service}, which runs without an agent`, evidence: [], rejected: [] }));
  return { rung: "replace", verdicts: [...others, ...own].sort((a, b) => (a.unit < b.unit ? -1 : 1)), units: [], added: [] };
}

/** A module that an update has loaded is loaded once: whoever imported it holds its functions. */
function refuseChangedAdditions(plan: Plan, to: Place, added: Added): Plan {
  const changed = new Set<string>();
  for (const { unit } of plan.added) {
    const entry = to.files.get(unit);
    const loaded = added.get(unit);
    if (entry?.kind === "unit" && loaded !== undefined && [...loaded].some((artifact) => artifact !== entry.artifact)) changed.add(unit);
  }
  if (changed.size === 0) return plan;
  const refuse = (verdict: UnitVerdict): UnitVerdict => ({
    ...verdict,
    rung: "replace",
    reason: "a module that was added while processes ran, and changed since",
    rejected: [...verdict.rejected, { rung: "redefine", because: "what holds its functions would keep the old ones" }],
  });
  return { rung: "replace", verdicts: plan.verdicts.map((verdict) => (changed.has(verdict.unit) ? refuse(verdict) : verdict)), units: [], added: [] };
}

function incomparable(): Plan {
  const reason = "the release was made by another version of midflight";
  return { rung: "replace", verdicts: [{ unit: "instrumentation", rung: "replace", reason, evidence: [], rejected: [] }], units: [], added: [] };
}

/**
 * The transition as it is signed, and the blobs that it names beside those of its target's tree.
 * `directories`: those of that tree that its units lie in and agents are not likely to have.
 */
export function createTransition(route: Route, to: ReleaseId, directories: readonly Digest[] = []): { readonly transition: Transition; readonly blobs: readonly Blob[]; readonly artifacts: readonly Digest[] } {
  const { from, plan } = route;
  const blobs: Blob[] = [];
  const mapOf = (unit: string): { readonly map?: Digest } => {
    const map = mapDigestOf(unit, route.to.shape?.units.get(unit), route.to.files);
    return map === undefined ? {} : { map };
  };
  const units = plan.units.map(({ unit, birth, ops }): Transition["units"][number] => {
    const bytes = Buffer.from(JSON.stringify(ops));
    const digest = sha256(bytes);
    blobs.push({ digest, bytes });
    return { unit, birth, ops: digest, artifact: ops.artifact, ...mapOf(unit) };
  });
  const added = plan.added.map(({ unit, format }): Transition["added"][number] => {
    const entry = route.to.files.get(unit);
    if (entry?.kind !== "unit") throw new TypeError(`${unit} is planned as a unit and is none`);
    return { unit, format, artifact: entry.artifact, ...mapOf(unit) };
  });
  const { rung, verdicts } = plan;
  const transition: Transition = { from, to, instrumentation: instrumentationVersion, rung, verdicts, units, added, ...(units.length + added.length > 0 && directories.length > 0 && { directories }) };
  return { transition, blobs, artifacts: [...units, ...added].flatMap(({ artifact, map }) => (map === undefined ? [artifact] : [artifact, map])) };
}

/** The strongest rung of some routes; `patch` of none: where nothing runs, nothing is disturbed. */
export function rungOf(routes: readonly Route[]): Rung {
  return routes.reduce<Rung>((strongest, route) => strongerRung(strongest, route.plan.rung), "patch");
}

/** The files by which two places differ, but for those that never run, such as source maps. */
export function findDiffering(from: Pick<Place, "files">, to: Pick<Place, "files">): ReadonlySet<string> {
  const out = new Set<string>();
  for (const [path, entry] of to.files) {
    const before = from.files.get(path);
    if (before === entry || isInert(before ?? entry) && isInert(entry)) continue;
    if (before === undefined || contentOf(before) !== contentOf(entry)) out.add(path);
  }
  for (const [path, entry] of from.files) if (!to.files.has(path) && !isInert(entry)) out.add(path);
  return out;
}

function isInert(entry: FileEntry): boolean {
  return entry.kind === "asset" && entry.inert;
}

function contentOf(entry: FileEntry): string {
  return entry.kind === "unit" ? `${entry.format} ${entry.source}` : entry.digest;
}

/**
 * One verdict per unit that differs from what is live, the strongest over the processes that run; beside these, what
 * explains a stronger rung: a change that came before and still is between a process's boot and the target.
 * `differing` null: nothing is live.
 */
export function mergeVerdicts(routes: readonly Route[], differing: ReadonlySet<string> | null): readonly UnitVerdict[] {
  const all = routes.flatMap((route) => route.plan.verdicts);
  const merged = new Map<string, UnitVerdict>();
  const add = (verdict: UnitVerdict): void => {
    const before = merged.get(verdict.unit);
    if (before === undefined || strongerRung(before.rung, verdict.rung) !== before.rung) merged.set(verdict.unit, verdict);
  };
  for (const verdict of all) if (differing === null || differing.has(verdict.unit)) add(verdict);
  const told = new Set(all.map((verdict) => verdict.unit));
  for (const unit of routes.length === 0 ? [] : (differing ?? [])) {
    if (!told.has(unit)) add({ unit, rung: "patch", reason: "it is again what the processes started with", evidence: [], rejected: [] });
  }
  const strongest = rungOf(routes);
  if (strongest === "replace" || ![...merged.values()].some((verdict) => verdict.rung === strongest)) {
    for (const verdict of all) if (verdict.rung === strongest) add(verdict);
  }
  return [...merged.values()].sort((a, b) => (a.unit < b.unit ? -1 : 1));
}

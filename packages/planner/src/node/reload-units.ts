import { detailOf, importersOf, type AppShape } from "./app.ts";
import { Findings, type Blocker } from "./findings.ts";
import type { Plan, PlanInput } from "./plan-input.ts";
import { checkCopies, compareKept, hookProblem } from "./reload.ts";
import { inEvaluationOrder, keyOf } from "./reload-steps.ts";
import { findStartup } from "./startup.ts";

/** Units whose top level runs again, and what ruled the gentler ways out for each. */
export type Reloads = ReadonlyMap<string, Blocker>;

/** What comes of planning with certain units reloaded. */
export interface Attempt {
  readonly boot: AppShape;
  readonly target: AppShape;
  readonly findings: Findings;
  readonly units: Plan["units"];
  readonly added: readonly string[];
}

/** More rounds than a chain of units that wait for each other has in practice. */
const maxRounds = 8;

/**
 * Finds the units whose hooks carry what stands in the way of `first`: those that it was found in, and those with hooks
 * that import one without. Gives `first` back, with the reason, if that does not help.
 */
export function tryReload(first: Attempt, attempt: (reloads: Reloads) => Attempt): Attempt {
  const { boot, target } = first;
  const reloads = new Map<string, Blocker>();
  let last = first;
  for (let round = 0; round < maxRounds; round++) {
    const found = findCandidates(last.findings.blocked, reloads, boot, target);
    if (found.size === 0) break;
    for (const [unit, because] of found) reloads.set(unit, because);
    last = attempt(reloads);
    if (last.findings.blocked.size === 0) return shrink(last, reloads, first, attempt);
  }
  for (const [unit, { reason }] of first.findings.blocked) {
    const why = hookProblem(unit, boot, target);
    const importer = why === null || detailOf(target, unit)?.hooks ? null : [...importersOf(target).of(unit)].find((path) => detailOf(target, path)?.hooks);
    const problem = importer === null || importer === undefined ? null : hookProblem(importer, boot, target);
    if (problem !== null) first.findings.explainUnhooked(unit, `${importer}, which imports it, declares hooks, but ${problem}`, true);
    else first.findings.explainUnhooked(unit, why ?? (last.findings.blocked.get(unit)?.reason ?? elsewhere(last, reason)), Boolean(detailOf(target, unit)?.hooks));
  }
  return first;
}

function elsewhere({ findings }: Attempt, reason: string): string {
  const [other] = findings.blocked;
  return other === undefined ? reason : `its hooks would carry it, but ${other[0]} stands in the way: ${other[1].reason}`;
}

function findCandidates(blocked: ReadonlyMap<string, Blocker>, known: Reloads, boot: AppShape, target: AppShape): ReadonlyMap<string, Blocker> {
  const found = new Map<string, Blocker>();
  const add = (unit: string, because: Blocker): boolean => {
    if (known.has(unit) || hookProblem(unit, boot, target) !== null) return known.has(unit);
    if (!found.has(unit)) found.set(unit, because);
    return true;
  };
  for (const [unit, because] of blocked) {
    if (add(unit, because)) continue;
    // Who imports it may be the only one that its change matters to.
    const seen = new Set([unit]);
    const open = [unit];
    for (let at = open.pop(); at !== undefined; at = open.pop()) {
      for (const importer of importersOf(target).of(at)) {
        if (seen.has(importer)) continue;
        seen.add(importer);
        if (!add(importer, { reason: `${unit} changed: ${because.reason}`, evidence: because.evidence })) open.push(importer);
      }
    }
  }
  return found;
}

/** Leaves out those that were added for the sake of others and are not needed. */
function shrink(whole: Attempt, reloads: Reloads, first: Attempt, attempt: (reloads: Reloads) => Attempt): Attempt {
  let [best, kept] = [whole, reloads];
  for (const unit of reloads.keys()) {
    if (first.findings.blocked.has(unit) || kept.size === 1) continue;
    const fewer = new Map([...kept].filter(([other]) => other !== unit));
    const next = attempt(fewer);
    if (next.findings.blocked.size === 0) [best, kept] = [next, fewer];
  }
  return best;
}

/**
 * The units of a transition that carry their program along, in the order of evaluation: those that are reloaded, and
 * those that an earlier transition may have reloaded and that have to return to their own top level.
 */
export function findRunnable({ boot, target, touched }: PlanInput, reloaded: ReadonlySet<string>): readonly string[] {
  const earlier = [...(touched ?? [])].filter((unit) => !reloaded.has(unit) && detailOf(target, unit)?.hooks && hookProblem(unit, boot, target) === null);
  if (earlier.length === 0) return reloaded.size === 0 ? [] : inEvaluationOrder(reloaded, target);
  const all = new Set([...reloaded, ...earlier]);
  const findings = new Findings();
  for (const unit of earlier) compareKept(unit, detailOf(boot, unit)!, detailOf(target, unit)!, findings);
  checkCopies(all, boot, target, findStartup(boot, all), findings);
  // One that cannot is left out with all others: a process that has reloaded it needs a new one, and says so.
  return inEvaluationOrder(findings.blocked.size === 0 ? all : reloaded, target);
}

/** True if the processes that run have the unit's top level live as it is in the target: nothing of it runs. */
export function runsAlready(unit: string, { boot, target, reloaded, live }: PlanInput): boolean {
  return reloaded?.has(unit) === true && live !== undefined && keyOf(unit, boot, live) === keyOf(unit, boot, target);
}

/** True if processes that reloaded the unit have to run another top level now, though a process that did not has nothing to run. */
export function runsOnReturn(unit: string, input: PlanInput): boolean {
  return input.reloaded?.has(unit) === true && !runsAlready(unit, input);
}

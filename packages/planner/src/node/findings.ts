import type { Rung, UnitVerdict } from "@midflight/protocol";

interface UnitFindings {
  readonly bodies: string[];
  readonly redefined: string[];
  readonly blockers: Blocker[];
  readonly kept: string[];
  /** Why a difference does not count. */
  idle: string | null;
  /** Why its top level runs again, carried by its hooks; null if it does not. */
  reloaded: Blocker | null;
  /** Why no hook carries it, if something stands in the way. */
  unhooked: string | null;
  /** Somebody meant it to be carried: what rules that out comes first in the evidence. */
  declaresHooks: boolean;
}

export interface Blocker {
  readonly reason: string;
  readonly evidence: readonly string[];
}

/** Collects, per unit, what was found to change and what stands in the way; makes the verdicts from it. */
export class Findings {
  readonly #units = new Map<string, UnitFindings>();

  #of(unit: string): UnitFindings {
    let findings = this.#units.get(unit);
    if (findings === undefined) this.#units.set(unit, (findings = { bodies: [], redefined: [], blockers: [], kept: [], idle: null, reloaded: null, unhooked: null, declaresHooks: false }));
    return findings;
  }

  /** The unit differs, if only in what does not count. */
  seen(unit: string): void {
    this.#of(unit);
  }

  /** The file differs in what no process has to do with. */
  idle(unit: string, reason: string): void {
    this.#of(unit).idle = reason;
  }

  /** A function whose body changes and nothing else. */
  body(unit: string, name: string): void {
    this.#of(unit).bodies.push(name);
  }

  /** Something beyond a body, as a part of a sentence: "new function rateFor()". */
  redefine(unit: string, what: string): void {
    const { redefined } = this.#of(unit);
    if (!redefined.includes(what)) redefined.push(what);
  }

  /** Cannot be proved safe in a running process. */
  block(unit: string, reason: string, evidence: readonly string[] = []): void {
    const { blockers } = this.#of(unit);
    if (!blockers.some((blocker) => blocker.reason === reason)) blockers.push({ reason, evidence });
  }

  /** Its top level runs again: `because` ruled the gentler ways out. */
  reload(unit: string, because: Blocker): void {
    this.#of(unit).reloaded = because;
  }

  /** Says why a unit that something stands in the way of is not reloaded. */
  explainUnhooked(unit: string, why: string, declaresHooks: boolean): void {
    this.#of(unit).unhooked = why;
    this.#of(unit).declaresHooks = declaresHooks;
  }

  /** What stands in the way, by unit: the first that was found. */
  get blocked(): ReadonlyMap<string, Blocker> {
    return new Map([...this.#units].flatMap(([unit, { blockers: [first] }]) => (first === undefined ? [] : [[unit, first] as const])));
  }

  verdicts(): UnitVerdict[] {
    return [...this.#units].sort(([a], [b]) => (a < b ? -1 : 1)).map(([unit, findings]) => verdictOf(unit, findings));
  }
}

function verdictOf(unit: string, { bodies, redefined, blockers, idle, reloaded, unhooked, declaresHooks }: UnitFindings): UnitVerdict {
  if (blockers.length > 0) {
    const { reason, evidence } = blockers[0]!;
    const unfit = unhooked !== null && declaresHooks && unhooked !== reason ? [`no reload: ${unhooked}`] : [];
    return {
      unit, rung: "replace", reason, evidence: [...unfit, ...evidence, ...blockers.slice(1).map((blocker) => blocker.reason)],
      rejected: [...(["patch", "redefine"] as const).map((rung) => ({ rung: rung as Rung, because: reason })), { rung: "reload", because: unhooked ?? "no hook can carry it" }],
    };
  }
  if (reloaded !== null) {
    const { reason, evidence } = reloaded;
    return {
      unit, rung: "reload", reason: `its top level runs again, carried by its hooks: ${reason}`, evidence,
      rejected: (["patch", "redefine"] as const).map((rung) => ({ rung, because: reason })),
    };
  }
  if (redefined.length > 0) {
    const also = bodies.length > 0 ? [`${listed(bodies)}: body changed`] : [];
    return { unit, rung: "redefine", reason: listed(redefined, "; "), evidence: also, rejected: [{ rung: "patch", because: redefined[0]! }] };
  }
  const reason = bodies.length === 0 ? (idle ?? (/\.[cm]?ts$/.test(unit) ? "only comments, types or formatting changed" : "only comments or formatting changed")) : bodies.length === 1 ? `${bodies[0]}: only the body changed` : `${listed(bodies)}: only bodies changed`;
  return { unit, rung: "patch", reason, evidence: bodies.length > 3 ? bodies : [], rejected: [] };
}

function listed(names: readonly string[], separator = ", "): string {
  const shown = names.slice(0, 3).join(separator);
  return names.length > 3 ? `${shown}${separator}and ${names.length - 3} more` : shown;
}

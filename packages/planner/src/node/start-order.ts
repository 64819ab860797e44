import type { UnitDetail } from "./analyze.ts";
import type { AppShape } from "./app.ts";
import type { Declaration, Effect, Facts } from "./facts.ts";
import type { Findings } from "./findings.ts";
import { isImportedInTurn } from "./graph.ts";
import { referencesIn } from "./scope.ts";

/** Something that runs when the process starts: a statement, an initialiser, what a class says itself. */
interface Step {
  readonly was: number;
  readonly is: Effect | Declaration;
  /** It may call what ran before it set up. */
  readonly calls: boolean;
}

/** A declaration that changed places with what uses it when a process starts: after it, a new process would not have it in time; before it, what found nothing there would find it. */
export function checkStartOrder(unit: string, before: UnitDetail, after: UnitDetail, target: AppShape, findings: Findings): void {
  const [old, now] = [before.facts, after.facts];
  // Statements that differ are refused as such.
  if (old.effects.length !== now.effects.length) return;
  const kept = [...now.declarations.values()].flatMap((is) => {
    const was = old.declarations.get(is.name);
    return is.kind === "function" || was === undefined ? [] : [{ was: was.start, is, calls: false }];
  });
  const steps: Step[] = [...now.effects.map((is, i) => ({ was: old.effects[i]!.start, is, calls: true })), ...kept.filter(({ is }) => !is.isFunctionValue)];
  if (isInOrder([...steps, ...kept])) return;
  for (const step of steps) {
    const passed = kept.filter(({ was, is }) => (was < step.was && is.start > step.is.start) || (was > step.was && is.start < step.is.start));
    if (passed.length === 0) continue;
    const roots = step.calls ? now.effects.filter(({ start }) => start <= step.is.start) : [step.is];
    const read = namesReached(after, roots, step.calls && isImportedInTurn(target, unit, unit) ? exported(now) : []);
    const moved = passed.find(({ is }) => read.has(is.name))?.is;
    if (moved !== undefined) findings.block(unit, `${moved.kind} ${moved.name} now comes ${moved.start > step.is.start ? "after" : "before"} line ${step.is.line}, which runs when a process starts and may use it`, [`${unit}:${moved.line}`]);
  }
}

function isInOrder(steps: readonly Step[]): boolean {
  const sorted = [...steps].sort((a, b) => a.is.start - b.is.start);
  return sorted.every((step, i) => i === 0 || sorted[i - 1]!.was <= step.was);
}

/** The names of the module that these ranges mention, and what is declared under those, and so on. */
function namesReached({ facts, scopes }: UnitDetail, roots: readonly { readonly start: number; readonly end: number }[], more: readonly string[]): ReadonlySet<string> {
  const names = new Set<string>();
  const ranges = [...roots];
  const mention = (name: string): void => {
    if (names.has(name)) return;
    names.add(name);
    const declaration = facts.declarations.get(name);
    if (declaration !== undefined) ranges.push(declaration);
  };
  for (const name of more) mention(name);
  for (let range = ranges.pop(); range !== undefined; range = ranges.pop()) {
    for (const ref of referencesIn(scopes.references, range.start, range.end)) if (ref.where === "module") mention(ref.name);
  }
  return names;
}

/** In a cycle of imports, another unit may use these before this one is through. */
function exported({ exports }: Facts): readonly string[] {
  return [...exports.values()].flatMap((binding) => (binding.kind === "local" ? [binding.local] : []));
}

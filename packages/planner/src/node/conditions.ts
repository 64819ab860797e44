import { candidatesOf, type AppShape } from "./app.ts";
import { ownPackagesOf } from "./packages.ts";
import type { Findings } from "./findings.ts";

interface Doubt {
  readonly importer: string;
  readonly specifier: string;
}

const doubts = new WeakMap<AppShape, ReadonlyMap<string, Doubt>>();

/** Units that are what some unit imports only under conditions that the command may set (`node --conditions`), or are not. */
function doubtfulUnits(app: AppShape): ReadonlyMap<string, Doubt> {
  let found = doubts.get(app) as Map<string, Doubt> | undefined;
  if (found !== undefined) return found;
  doubts.set(app, (found = new Map()));
  if (!ownPackagesOf(app).hasTargets) return found;
  for (const [importer, { imports }] of app.units) {
    for (const { specifier } of imports) {
      const candidates = candidatesOf(app, importer, specifier);
      if (candidates.length > 1) for (const unit of candidates) found.set(unit, { importer, specifier });
    }
  }
  return found;
}

/** Who imports a unit must be known, or a change of it could leave somebody behind. */
export function checkConditions(units: Iterable<string>, app: AppShape, findings: Findings): void {
  const found = doubtfulUnits(app);
  if (found.size === 0) return;
  for (const unit of units) {
    const doubt = found.get(unit);
    if (doubt !== undefined) findings.block(unit, `whether ${doubt.importer} imports it as "${doubt.specifier}" depends on conditions that are known only at run time`);
  }
}

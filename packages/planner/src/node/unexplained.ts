import { candidatesOf, isBuiltin, type AppShape } from "./app.ts";
import type { UnitAnalysis } from "./analyze.ts";
import type { Dependencies } from "./dependencies.ts";
import type { Findings } from "./findings.ts";

interface Unexplained {
  readonly unit: string;
  readonly specifier: string;
}

const found = new WeakMap<AppShape, Unexplained | null>();

/**
 * An import by a name that is neither Node's, nor a package of the app, nor one that the lock file or the installation
 * names: a loader resolves it (paths of a TypeScript configuration, an alias), and it may lead to any module of the app.
 */
function unexplainedImport(app: AppShape): Unexplained | null {
  let answer = found.get(app);
  if (answer === undefined) found.set(app, (answer = findAmong(app, app.units.keys())));
  return answer;
}

function findAmong(app: AppShape, units: Iterable<string>): Unexplained | null {
  const names = namesOf(app.dependencies ?? null);
  // Without any list nothing is known of names, and without packages there is nothing to tell them from.
  if (names.size === 0) return null;
  for (const unit of units) {
    const specifier = bareNames(app.units.get(unit)!, names).find((name) => candidatesOf(app, unit, name).length === 0);
    if (specifier !== undefined) return { unit, specifier };
  }
  return null;
}

const named = new WeakMap<Dependencies, ReadonlySet<string>>();
const none: ReadonlySet<string> = new Set();

function namesOf(dependencies: Dependencies | null): ReadonlySet<string> {
  if (dependencies === null) return none;
  let names = named.get(dependencies);
  if (names === undefined) {
    const made = new Set([...(dependencies.locked?.values() ?? []), ...(dependencies.installed?.values() ?? [])].map(({ name }) => name));
    names = recent.find((other) => other.size === made.size && [...made].every((name) => other.has(name))) ?? made;
    if (names === made) recent.unshift(made);
    recent.length = Math.min(recent.length, 4);
    named.set(dependencies, names);
  }
  return names;
}

/** The last sets of names: releases that stand on the same packages share one, and what was found out with it. */
const recent: ReadonlySet<string>[] = [];

const bare = new WeakMap<UnitAnalysis, { readonly names: ReadonlySet<string>; readonly specifiers: readonly string[] }>();

/** What a unit imports while it loads by names that no list has. Kept by the unit: most do not change from one plan to the next. */
function bareNames(analysis: UnitAnalysis, names: ReadonlySet<string>): readonly string[] {
  const known = bare.get(analysis);
  if (known?.names === names) return known.specifiers;
  const specifiers = analysis.imports.filter(({ specifier, isEager }) => isEager && !isExplained(specifier, names)).map(({ specifier }) => specifier);
  bare.set(analysis, { names, specifiers });
  return specifiers;
}

function isExplained(specifier: string, names: ReadonlySet<string>): boolean {
  if (/^(?:\.|\/|#|[a-z][a-z\d+.-]*:)/i.test(specifier) || isBuiltin(specifier)) return true;
  return names.has(specifier.startsWith("@") ? specifier.split("/").slice(0, 2).join("/") : specifier.split("/")[0]!);
}

/** Who imports a module, and what they did with it at the start, has to be known of all who do. */
export function checkUnexplained(units: readonly string[], added: readonly string[], boot: AppShape, target: AppShape, findings: Findings): void {
  if (units.length === 0) return;
  const isSame = namesOf(boot.dependencies ?? null) === namesOf(target.dependencies ?? null) && boot.texts === target.texts && boot.links === target.links;
  const open = unexplainedImport(boot) ?? (isSame ? findAmong(target, [...units, ...added]) : unexplainedImport(target));
  if (open === null) return;
  for (const unit of units) findings.block(unit, `${open.unit} imports "${open.specifier}", which is no package that is installed: a loader may take it for this module`);
}

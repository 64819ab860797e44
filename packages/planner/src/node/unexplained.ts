import { candidatesOf, isBuiltin, type AppShape } from "./app.ts";
import type { UnitAnalysis } from "./analyze.ts";
import type { Dependencies } from "./dependencies.ts";
import type { Findings } from "./findings.ts";

const found = new WeakMap<AppShape, { readonly unit: string; readonly specifier: string } | null>();

/**
 * An import by a name that is neither Node's, nor a package of the app, nor one that the lock file or the installation
 * names: a loader resolves it (paths of a TypeScript configuration, an alias), and it may lead to any module of the app.
 */
function unexplainedImport(app: AppShape): { readonly unit: string; readonly specifier: string } | null {
  let answer = found.get(app);
  if (answer !== undefined) return answer;
  const names = namesOf(app.dependencies ?? null);
  answer = null;
  // Without any list nothing is known of names, and without packages there is nothing to tell them from.
  if (names.size > 0) {
    for (const [unit, analysis] of app.units) {
      const specifier = bareNames(analysis, names).find((bare) => candidatesOf(app, unit, bare).length === 0);
      if (specifier === undefined) continue;
      answer = { unit, specifier };
      break;
    }
  }
  found.set(app, answer);
  return answer;
}

const named = new WeakMap<Dependencies, ReadonlySet<string>>();
const none: ReadonlySet<string> = new Set();

function namesOf(dependencies: Dependencies | null): ReadonlySet<string> {
  if (dependencies === null) return none;
  let names = named.get(dependencies);
  if (names === undefined) named.set(dependencies, (names = new Set([...(dependencies.locked?.values() ?? []), ...(dependencies.installed?.values() ?? [])].map(({ name }) => name))));
  return names;
}

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
export function checkUnexplained(units: readonly string[], boot: AppShape, target: AppShape, findings: Findings): void {
  const open = units.length === 0 ? null : (unexplainedImport(boot) ?? unexplainedImport(target));
  if (open === null) return;
  for (const unit of units) findings.block(unit, `${open.unit} imports "${open.specifier}", which is no package that is installed: a loader may take it for this module`);
}

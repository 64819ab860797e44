import { candidatesOf, isBuiltin, type AppShape } from "./app.ts";
import type { Findings } from "./findings.ts";

const found = new WeakMap<AppShape, { readonly unit: string; readonly specifier: string } | null>();

/**
 * An import by a name that is neither Node's, nor a package of the app, nor one that the lock file or the installation
 * names: a loader resolves it (paths of a TypeScript configuration, an alias), and it may lead to any module of the app.
 */
function unexplainedImport(app: AppShape): { readonly unit: string; readonly specifier: string } | null {
  let answer = found.get(app);
  if (answer !== undefined) return answer;
  const { locked = null, installed = null } = app.dependencies ?? {};
  const names = new Set([...(locked?.values() ?? []), ...(installed?.values() ?? [])].map(({ name }) => name));
  answer = null;
  // Without any list nothing is known of names, and without packages there is nothing to tell them from.
  if (names.size > 0) {
    for (const [unit, { imports }] of app.units) {
      const open = imports.find(({ specifier, isEager }) => isEager && !isExplained(app, unit, specifier, names));
      if (open === undefined) continue;
      answer = { unit, specifier: open.specifier };
      break;
    }
  }
  found.set(app, answer);
  return answer;
}

function isExplained(app: AppShape, unit: string, specifier: string, names: ReadonlySet<string>): boolean {
  if (/^(?:\.|\/|[a-z][a-z\d+.-]*:)/i.test(specifier) || isBuiltin(specifier)) return true;
  if (specifier.startsWith("#")) return true;
  const name = specifier.startsWith("@") ? specifier.split("/").slice(0, 2).join("/") : specifier.split("/")[0]!;
  return names.has(name) || candidatesOf(app, unit, specifier).length > 0;
}

/** Who imports a module, and what they did with it at the start, has to be known of all who do. */
export function checkUnexplained(units: readonly string[], boot: AppShape, target: AppShape, findings: Findings): void {
  const open = units.length === 0 ? null : (unexplainedImport(boot) ?? unexplainedImport(target));
  if (open === null) return;
  for (const unit of units) findings.block(unit, `${open.unit} imports "${open.specifier}", which is no package that is installed: a loader may take it for this module`);
}

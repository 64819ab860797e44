import { declareLexical, declareVars } from "./declared-names.ts";
import { resolveStatement, type Reference, type ResolvedStatement } from "./resolve-statement.ts";
import type { Syntax } from "./statements.ts";
import { firstIndex } from "./syntax.ts";

export type { Reference, RefRole } from "./resolve-statement.ts";

export interface Scopes {
  /** In source order. */
  readonly references: readonly Reference[];
  readonly moduleNames: ReadonlySet<string>;
  /** In source order, by name. */
  readonly byName: ReadonlyMap<string, readonly Reference[]>;
  /** Direct `eval` or `with`: names cannot be resolved statically. */
  readonly isDynamic: boolean;
  /** Of each statement of the top level. */
  readonly statements: readonly ResolvedStatement[];
}

/**
 * Resolves every name of a unit. `isSloppy`: function declarations in blocks are also function-scoped (Annex B.3.3).
 * `former`: of the text before this one; what means the same is taken over.
 */
export function resolveScopes({ program, statements: parsed }: Syntax, isSloppy: boolean, former: Scopes | null = null): Scopes {
  const names = new Set<string>();
  declareLexical(program.body, names);
  for (const statement of program.body) declareVars(statement, names, isSloppy);
  const moduleNames = former !== null && isSame(former.moduleNames, names) ? former.moduleNames : names;
  const statements = parsed.map((statement) => resolveStatement(statement, moduleNames, isSloppy));
  let references: Scopes["references"] | null = null;
  let byName: Scopes["byName"] | null = null;
  return {
    moduleNames, statements,
    // Most units never differ, and nobody asks them.
    get references() {
      return (references ??= statements.flatMap((resolved) => resolved.references));
    },
    get byName() {
      return (byName ??= indexByName(this.references));
    },
    isDynamic: statements.some((resolved) => resolved.isDynamic),
  };
}

export function indexByName(references: readonly Reference[]): ReadonlyMap<string, readonly Reference[]> {
  const byName = new Map<string, Reference[]>();
  for (const ref of references) {
    const list = byName.get(ref.name);
    if (list === undefined) byName.set(ref.name, [ref]);
    else list.push(ref);
  }
  return byName;
}

function isSame(a: ReadonlySet<string>, b: ReadonlySet<string>): boolean {
  return a.size === b.size && [...a].every((name) => b.has(name));
}

/** The references within a range, of all names or of one. */
export function referencesIn(references: readonly Reference[], start: number, end: number): readonly Reference[] {
  return references.slice(firstIndex(references, (ref) => ref.start >= start), firstIndex(references, (ref) => ref.start >= end));
}

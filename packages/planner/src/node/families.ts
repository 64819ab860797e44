import type { UnitDetail } from "./analyze.ts";
import type { Declaration } from "./facts.ts";
import type { Findings } from "./findings.ts";
import { namesOf } from "./names.ts";

/**
 * Bundlers put a number behind a name that several of their files declare (`Store`, `Store$1`, `format2`). When one
 * comes or goes, the others may be numbered anew, and a name that stays means another declaration. Texts that use a
 * name are written anew with it; but who holds a function, and instances of a class, would get what is not theirs.
 */
export function checkFamilies(unit: string, before: UnitDetail, after: UnitDetail, findings: Findings): void {
  const old = familiesOf(before);
  const now = familiesOf(after);
  for (const [stem, names] of now) {
    const former = old.get(stem) ?? [];
    if (names.length + former.length < 3 || names.join() === former.join()) continue;
    for (const name of names) {
      const [was, is] = [before.facts.declarations.get(name), after.facts.declarations.get(name)];
      if (was === undefined || is === undefined || textOf(before, was) === textOf(after, is)) continue;
      const isClass = was.kind === "class" || before.facts.sites.classes.has(name);
      if (!isClass && !isHeld(name, was, before)) continue;
      const others = [...new Set([...former, ...names])].filter((other) => other !== name).join(", ");
      findings.block(unit, `${name} may be another ${isClass ? "class" : "function"} now: it is one of several of that name (${others}), and one came or went`, [`${unit}:${is.line}`]);
    }
  }
}

function familiesOf({ facts }: UnitDetail): ReadonlyMap<string, readonly string[]> {
  const families = new Map<string, string[]>();
  for (const name of [...facts.declarations.keys()].sort()) {
    const stem = name.replace(/\$?\d+$/, "");
    const family = families.get(stem);
    if (family === undefined) families.set(stem, [name]);
    else family.push(name);
  }
  return families;
}

function textOf({ text }: UnitDetail, { start, end }: Declaration): string {
  return text.normalise(start, end);
}

/** True if somebody may hold the function, who would call it by another way than its name. */
function isHeld(name: string, declaration: Declaration, detail: UnitDetail): boolean {
  if (declaration.kind !== "function" && !declaration.isFunctionValue) return false;
  if (namesOf(detail).usedAsValue.has(name)) return true;
  for (const binding of detail.facts.exports.values()) if (binding.kind === "local" && binding.local === name) return true;
  return false;
}

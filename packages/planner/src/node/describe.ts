import type { UnitAnalysis, UnitDetail } from "./analyze.ts";
import { kindOf } from "./changes.ts";
import { Findings } from "./findings.ts";
import { isSameText, shownSite } from "./sites.ts";
import type { Rung } from "@midflight/protocol";

/**
 * What one text of a unit says differently from another, for people: `Cart.total(): only the body changed`. Says nothing
 * about what a running process can do with it; that is asked from its boot shape. Null if no declaration differs.
 */
export function describeChange(before: UnitAnalysis, after: UnitAnalysis): { readonly rung: Rung; readonly reason: string } | null {
  if (before.detail === null || after.detail === null) return null;
  const findings = new Findings();
  describeBindings(after.path, before.detail, after.detail, findings);
  describeSites(after.path, before.detail, after.detail, findings);
  const [verdict] = findings.verdicts();
  return verdict === undefined ? null : { rung: verdict.rung, reason: verdict.reason };
}

function describeBindings(unit: string, { facts: old }: UnitDetail, { facts: now }: UnitDetail, findings: Findings): void {
  for (const [name, declaration] of now.declarations) {
    const former = old.declarations.get(name);
    if (former === undefined) findings.redefine(unit, `new ${kindOf(declaration)} ${name}${declaration.isFunctionValue ? "()" : ""}`);
    else if (former.skeleton !== declaration.skeleton) findings.redefine(unit, `${kindOf(declaration)} ${name} changed`);
  }
  for (const [local, { specifier, imported }] of now.imports) {
    const former = old.imports.get(local);
    if (former?.specifier !== specifier || former.imported !== imported) findings.redefine(unit, `import of ${imported === "*" ? "all" : imported} from ${specifier}`);
  }
  for (const [name, former] of old.declarations) if (!now.declarations.has(name)) findings.redefine(unit, `${kindOf(former)} ${name} removed`);
}

function describeSites(unit: string, before: UnitDetail, after: UnitDetail, findings: Findings): void {
  const { facts: old } = before;
  const { facts: now } = after;
  for (const site of now.sites.all) {
    const former = old.byKey.get(site.key);
    if (former !== undefined) {
      if (!isSameText(former, site) && old.ownText(former) !== now.ownText(site)) findings.body(unit, shownSite(site));
    } else if (site.member !== null && old.declarations.has(site.className!)) findings.redefine(unit, `new method ${shownSite(site)}`);
  }
  for (const former of old.sites.all) {
    if (former.member !== null && !now.byKey.has(former.key) && now.declarations.has(former.className!)) findings.redefine(unit, `method ${shownSite(former)} removed`);
  }
}

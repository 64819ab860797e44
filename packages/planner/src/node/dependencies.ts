import type { AppShape } from "./app.ts";
import type { Findings } from "./findings.ts";

/** One copy of a package, as a lock file or a package manager's record of its installation names it. */
export interface InstalledPackage {
  /** Empty for what is no package: which package gets which version of another one. */
  readonly name: string;
  readonly version: string;
  /** What tells two packages of one version apart; empty if nothing does. */
  readonly content: string;
}

/** By place: two copies of one package have two. */
export type PackageList = ReadonlyMap<string, InstalledPackage>;

/** The packages that an app's code stands on. */
export interface Dependencies {
  /** Read from the lock file; null if that could not be read. */
  readonly locked: PackageList | null;
  /** Read from what the package manager wrote beside what it installed; null if there is no such record. */
  readonly installed: PackageList | null;
}

/** Packages are loaded once per process: others need a new process. */
export function compareDependencies(boot: AppShape, target: AppShape, findings: Findings): void {
  const before = boot.dependencies ?? null;
  const after = target.dependencies ?? null;
  const moved = linksThatDiffer(boot.links, target.links);
  if (moved.length > 0) findings.block("dependencies", `${moved.join(" and ")} lead${moved.length === 1 ? "s" : ""} to another package of the app`);
  const isListed = isComparable(before?.locked, after?.locked);
  const block = (what: string, differences: readonly string[]): void =>
    findings.block("dependencies", `${what}: ${differences.slice(0, shown).join(", ")}${differences.length > shown ? ` and ${differences.length - shown} more` : ""}`, differences.slice(shown, shown + maxEvidence));
  if (isListed) {
    const differences = differencesOf(before!.locked!, after!.locked!);
    if (differences.length > 0) return block("locked packages differ", differences);
  }
  if (isComparable(before?.installed, after?.installed)) {
    const differences = differencesOf(before!.installed!, after!.installed!);
    if (differences.length > 0) return block("installed packages differ", differences);
  }
  if (!isListed && boot.lock !== target.lock) findings.block("dependencies", "the dependency lock file changed: installed packages differ");
}

function linksThatDiffer(before: AppShape["links"], after: AppShape["links"]): readonly string[] {
  return [...new Set([...(before?.keys() ?? []), ...(after?.keys() ?? [])])].filter((place) => before?.get(place) !== after?.get(place));
}

const shown = 4;
const maxEvidence = 40;

/** True if lock files (or records) of both say which packages there are. */
function isComparable(before: PackageList | null | undefined, after: PackageList | null | undefined): boolean {
  return before !== null && before !== undefined && after !== null && after !== undefined;
}

/** What changed, one part of a sentence per package: `express 4.18.2 → 4.19.0`. */
export function differencesOf(before: PackageList, after: PackageList): readonly string[] {
  const names = new Set<string>();
  for (const [place, now] of after) {
    const then = before.get(place);
    if (then === undefined || then.name !== now.name || then.version !== now.version || then.content !== now.content) names.add(now.name).add(then?.name ?? now.name);
  }
  for (const [place, { name }] of before) if (!after.has(place)) names.add(name);
  const out = [...names].filter((name) => name !== "").sort().map((name) => describe(name, copiesOf(before, name), copiesOf(after, name)));
  return out.length === 0 && names.size > 0 ? ["which package gets which version"] : out;
}

function describe(name: string, before: readonly InstalledPackage[], after: readonly InstalledPackage[]): string {
  const then = versionsOf(before);
  const now = versionsOf(after);
  if (before.length === 0) return `${name} ${now} added`;
  if (after.length === 0) return `${name} ${then} removed`;
  if (then !== now) return `${name} ${then} → ${now}`;
  const isSame = contentsOf(before) === contentsOf(after);
  return isSame ? `${name} ${now} in another place` : `${name} ${now} with another content`;
}

function copiesOf(list: PackageList, name: string): readonly InstalledPackage[] {
  return [...list.values()].filter((copy) => copy.name === name);
}

function versionsOf(copies: readonly InstalledPackage[]): string {
  return [...new Set(copies.map(({ version }) => version))].sort().join(" and ");
}

function contentsOf(copies: readonly InstalledPackage[]): string {
  return copies.map(({ version, content }) => `${version} ${content}`).sort().join("\n");
}

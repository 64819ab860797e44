import type { Digest, Rung, UnitOps } from "@midflight/protocol";
import { strongerRung } from "@midflight/protocol";
import { checkAdded, planImport } from "./added.ts";
import { deriveImporters, detailOf, resolveUnit, type AppShape } from "./app.ts";
import { planBodies } from "./bodies.ts";
import type { Changes } from "./change.ts";
import { findChanges } from "./changes.ts";
import { isOneFunction } from "./required.ts";
import { importOf } from "./facts.ts";
import { checkConditions } from "./conditions.ts";
import { compareDependencies } from "./dependencies.ts";
import { Findings } from "./findings.ts";
import { checkMovedState } from "./graph.ts";
import { comparePackageJson } from "./package-json.ts";
import { takeJsonUnits } from "./json.ts";
import { cellKey } from "./cell-key.ts";
import { mayBeHeld } from "./held.ts";
import { OverlayWriter } from "./overlay.ts";
import type { Plan, PlanInput } from "./plan-input.ts";
import { checkCopies } from "./reload.ts";
import { planReload, variablesOf } from "./reload-steps.ts";
import { findRunnable, runsAlready, runsOnReturn, tryReload, type Attempt, type Reloads } from "./reload-units.ts";
import { findStartup, type Startup } from "./startup.ts";
import { contentKey } from "./text.ts";
import { checkUnexplained } from "./unexplained.ts";

/** Plans a transition. Pure: the same input gives the same plan, byte for byte. */
export function planTransition(input: PlanInput): Plan {
  const first = attempt(input, new Map());
  return finish(first.findings.blocked.size === 0 ? first : tryReload(first, (reloads) => attempt(input, reloads)));
}

function attempt(input: PlanInput, reloads: Reloads): Attempt {
  const findings = new Findings();
  const { boot, target, paths } = takeJsonUnits(input.boot, input.target, input.hash, findings);
  const reloaded = new Set(reloads.keys());
  for (const [unit, because] of reloads) {
    if (runsAlready(unit, { ...input, boot, target })) findings.idle(unit, "it was reloaded before, and runs as it is here");
    else findings.reload(unit, because);
  }
  comparePlain(boot, target, paths, findings);
  const differing: string[] = [];
  const added: string[] = [];
  const replaced: string[] = [];
  for (const [unit, after] of target.units) {
    const before = boot.units.get(unit);
    if (before === undefined) added.push(unit);
    else if (before !== after && (before.source !== after.source || before.format !== after.format)) {
      findings.seen(unit);
      replaced.push(unit);
      if (before.format !== after.format) findings.block(unit, "its module format changed");
      else if (before.refused || after.refused) findings.block(unit, `it is not instrumented: ${(after.refused ?? before.refused)!.reason}`);
      else differing.push(unit);
    }
  }
  deriveImporters(target, boot, new Set([...replaced, ...added]));
  const removed = checkRemoved(boot, target, findings);
  checkMovedState(boot, target, [...replaced, ...added, ...removed].filter((unit) => !reloaded.has(unit)), findings);
  const changes = findChanges(boot, target, differing, findings, reloaded);
  checkUnexplained(replaced, added, boot, target, findings);
  checkConditions([...replaced, ...added, ...changes.keys()], target, findings);
  for (const unit of added) checkAdded(unit, boot, target, changes, findings);
  const startup = differing.length > 0 || changes.size > 0 || reloaded.size > 0 ? findStartup(boot, reloaded) : null;
  if (startup !== null && reloaded.size > 0) checkCopies(reloaded, boot, target, startup, findings);
  const units = planUnits({ ...input, boot, target }, reloaded, differing, changes, startup, findings);
  if (added.length > 0) checkAddedReach(boot, target, findings);
  return { boot, target, findings, units, added };
}

function finish({ target, findings, units, added }: Attempt): Plan {
  const verdicts = findings.verdicts();
  const rung = verdicts.reduce<Rung>((strongest, verdict) => strongerRung(strongest, verdict.rung), "patch");
  if (rung === "replace") return { rung, verdicts, units: [], added: [] };
  const imported = added.length === 0 ? new Set() : importedUnits(target);
  // What nobody imports is not loaded: once it is, it can change no more.
  return { rung, verdicts, units, added: added.filter((unit) => imported.has(unit)).map((unit) => ({ unit, format: target.units.get(unit)!.format })) };
}

function importedUnits(app: AppShape): ReadonlySet<string> {
  const out = new Set<string>();
  for (const [path, { imports }] of app.units) for (const { specifier } of imports) out.add(resolveUnit(app, path, specifier) ?? "");
  return out;
}

/** Files that are not units: nothing is known of who read them when. */
function comparePlain(boot: AppShape, target: AppShape, dealtWith: ReadonlySet<string>, findings: Findings): void {
  compareDependencies(boot, target, findings);
  for (const path of new Set([...boot.assets.keys(), ...target.assets.keys()])) {
    if (dealtWith.has(path)) continue;
    const before = boot.assets.get(path);
    const after = target.assets.get(path);
    if (before?.digest === after?.digest || (before?.inert ?? true) === true && (after?.inert ?? true) === true) continue;
    if (/(?:^|\/)package\.json$/.test(path) && comparePackageJson(path, boot, target, findings)) continue;
    findings.block(path, after === undefined ? "a file was removed that the process may read" : before === undefined ? "a file was added that the process may look for" : "a file changed that the process may have read");
  }
}

function checkRemoved(boot: AppShape, target: AppShape, findings: Findings): string[] {
  const removed: string[] = [];
  for (const [unit, before] of boot.units) {
    if (target.units.has(unit)) continue;
    removed.push(unit);
    if (before.detail === null) findings.block(unit, "a removed module that was not instrumented");
    else if (before.detail.facts.effects.length > 0) {
      findings.block(unit, "a removed module whose top level did something when it was loaded", [`${unit}:${before.detail.facts.effects[0]!.line}`]);
    } else findings.redefine(unit, "module removed: nothing imports it any more");
  }
  return removed;
}

/** A unit that is new can be reached by static imports only: for others the path does not exist on disk. */
function checkAddedReach(boot: AppShape, target: AppShape, findings: Findings): void {
  for (const [path, analysis] of target.units) {
    for (const { specifier, kind } of analysis.imports) {
      const unit = kind === "static" ? null : resolveUnit(target, path, specifier);
      if (unit !== null && !boot.units.has(unit) && !(kind === "require" && isOneFunction(unit, target))) findings.block(unit, `a new module that ${path} loads by ${kind === "require" ? "require" : "import"}()`);
    }
  }
}

function planUnits(input: PlanInput, reloaded: ReadonlySet<string>, differing: readonly string[], changes: Changes, startup: Startup | null, findings: Findings): Plan["units"] {
  const { boot, target, touched } = input;
  const runnable = findRunnable(input, reloaded);
  const involved = new Set([...differing, ...reloaded, ...[...changes].filter(([, map]) => map.size > 0).map(([unit]) => unit), ...(touched ?? [])]);
  const units: { unit: string; birth: Digest; ops: UnitOps }[] = [];
  for (const unit of [...involved].sort()) {
    const before = detailOf(boot, unit);
    const after = detailOf(target, unit);
    if (!before || !after) continue;
    const changed = changes.get(unit) ?? new Map();
    const writer = new OverlayWriter(after, changed);
    planBodies({
      unit, boot, target, before, after, changed, isTouched: touched?.has(unit) === true, findings, writer, startup: startup ?? findStartup(boot),
      artifactLineOf: (site) => after.lines.of(site.fn.start),
      ...(reloaded.has(unit) && { isGivenAnew: (site) => [...(after.hooks?.statements ?? [])].some(({ start, end }) => start <= site.fn.start && site.fn.end <= end) }),
    });
    planBindings(unit, input, reloaded.has(unit), changes, findings, writer);
    const order = runnable.indexOf(unit);
    if (order !== -1) {
      writer.reload = planReload({ unit, boot, target, writer, order, again: !reloaded.has(unit) });
      if (!reloaded.has(unit) && runsOnReturn(unit, input)) findings.reload(unit, { reason: "it was reloaded before, and its text is another one now", evidence: [] });
    }
    if (writer.isEmpty) continue;
    const isBoot = writer.bodies.every((body) => body.again) && writer.cells.length + writer.members.length + writer.removals.length + writer.imports.length === 0 && writer.reload?.again !== false;
    if (isBoot && !touched?.has(unit)) continue;
    const artifact = target.units.get(unit)!.artifactDigest;
    const birth = isBoot ? "" : contentKey(JSON.stringify(writer.finish(unit, "", artifact)));
    units.push({ unit, birth: boot.units.get(unit)!.digest, ops: writer.finish(unit, birth, artifact) });
  }
  return units;
}

/** Cells and imports of one unit, in source order. */
function planBindings(unit: string, { boot, target }: PlanInput, isReloaded: boolean, changes: Changes, findings: Findings, writer: OverlayWriter): void {
  const detail = detailOf(target, unit)!;
  const variables = variablesOf(detail);
  for (const [name, change] of changes.get(unit) ?? []) {
    if (change === "import") {
      const op = planImport(unit, importOf(detail.facts, name)!, boot, target, changes, findings);
      if (op !== null) writer.imports.push(op);
    } else if (isReloaded && variables.has(name)) writer.cells.push({ kind: "let", name, key: `reload:${name}`, isHeld: false, text: null });
    else writer.cell(name, change, cellKey(target, unit, name, changes), mayBeHeld(target, unit, detail.facts.declarations.get(name)!));
  }
  const position = (name: string): number => detail.facts.declarations.get(name)?.start ?? 0;
  writer.cells.sort((a, b) => position(a.name) - position(b.name));
}

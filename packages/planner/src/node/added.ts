import { detailOf, findOrigin, isBuiltin, resolveUnit, type AppShape } from "./app.ts";
import type { Changes } from "./change.ts";
import type { Findings } from "./findings.ts";
import { isOneFunction, requiresOtherwise } from "./required.ts";
import type { ImportOp } from "@midflight/protocol";
import type { ImportBinding } from "./facts.ts";
import { agentPackage } from "./hooks.ts";

/**
 * A unit that the boot shape lacks is loaded when an overlay imports it. That must have no effect beyond making
 * its declarations, and everything it imports must be there already, with the same meaning.
 */
export function checkAdded(unit: string, boot: AppShape, target: AppShape, changes: Changes, findings: Findings): void {
  const analysis = target.units.get(unit)!;
  if (!analysis.detail) {
    findings.block(unit, `a new module that is not instrumented: ${analysis.refused?.reason ?? "unknown"}`);
    return;
  }
  const { facts, hasOpenImport } = analysis.detail;
  if (isOneFunction(unit, target)) {
    const other = requiresOtherwise(unit, boot, target);
    if (other !== null) findings.block(unit, `a new module that ${other} may load otherwise than by a constant at its top level`);
    return findings.redefine(unit, "new module");
  }
  const line = facts.effects[0]?.line;
  if (facts.effects.length > 0) return findings.block(unit, "a new module whose top level does more than declare", [`${unit}:${line}`]);
  const impure = [...facts.declarations.values()].find((declaration) => !declaration.isPure);
  if (impure) return findings.block(unit, `a new module: the initialiser of ${impure.name} may have effects`, [`${unit}:${impure.line}`]);
  if (hasOpenImport) return findings.block(unit, "a new module that imports by a computed name");
  for (const specifier of new Set(analysis.imports.map((imported) => imported.specifier))) {
    const from = resolveUnit(target, unit, specifier);
    // Added modules lie under names that tell their releases apart; what imports one by its own name does not find it.
    if (from !== null && !boot.units.has(from)) return findings.block(unit, `a new module that imports ${specifier}, which is new itself`);
    if (from === null && !isBuiltin(specifier) && witnessOf(boot, specifier) === null) {
      return findings.block(unit, `a new module that imports ${specifier}, which the process may not have loaded`);
    }
  }
  for (const imported of facts.imports.values()) {
    const from = resolveUnit(target, unit, imported.specifier);
    if (from === null || !boot.units.has(from)) continue;
    const origin = imported.imported === "*" ? null : findOrigin(target, from, imported.imported);
    const isNew = imported.imported !== "*" && findOrigin(boot, from, imported.imported).kind === "missing";
    const isChanged = origin?.kind === "binding" && changes.get(origin.unit)?.has(origin.local) === true;
    if (isNew || isChanged) return findings.block(unit, `a new module that imports ${imported.imported} of ${from}, which is new or changed itself`);
  }
  findings.redefine(unit, "new module");
}

/** A unit that imports a package's specifier eagerly, so that where it is loaded, the package is. */
export function witnessOf(boot: AppShape, specifier: string): string | null {
  for (const [path, analysis] of boot.units) {
    if (analysis.imports.some((imported) => imported.specifier === specifier && imported.isEager)) return path;
  }
  return null;
}

/** How an overlay gets at a name that its unit imports; null (and a blocker) if it cannot. */
export function planImport(unit: string, imported: ImportBinding, boot: AppShape, target: AppShape, changes: Changes, findings: Findings): ImportOp | null {
  const name = imported.local;
  const block = (reason: string): null => {
    findings.block(unit, `import of ${imported.imported} from ${imported.specifier}: ${reason}`);
    return null;
  };
  const outside = (witness: string | null): ImportOp => ({ from: "module", name, specifier: imported.specifier, imported: imported.imported, witness });
  const from = resolveUnit(target, unit, imported.specifier);
  if (from === null) {
    if (imported.specifier.endsWith(".json")) return block("a data file is read once, and this one may not have been");
    if (isBuiltin(imported.specifier) || imported.specifier === agentPackage) return outside(null);
    const witness = witnessOf(boot, imported.specifier);
    return witness === null ? block("the process may not have loaded it, and loading it may have effects") : outside(witness);
  }
  if (!boot.units.has(from)) return { from: "added", name, unit: from, imported: imported.imported };
  if (imported.imported === "*") return outside(from);
  const origin = findOrigin(target, from, imported.imported);
  if (origin.kind === "missing") return block("there is no such export");
  if (origin.kind === "outside") return detailOf(boot, from) === null ? block(`${from} is not instrumented`) : outside(from);
  if (changes.get(origin.unit)?.has(origin.local)) return { from: "overlay", name, unit: origin.unit, local: origin.local };
  if (!boot.units.has(origin.unit)) return { from: "added", name, unit: origin.unit, imported: exportNameOf(target, origin.unit, origin.local) };
  const hasName = detailOf(boot, origin.unit)?.facts.declarations.has(origin.local) === true && origin.local !== "default";
  return hasName ? { from: "unit", name, unit: origin.unit, local: origin.local } : outside(from);
}

function exportNameOf(app: AppShape, unit: string, local: string): string {
  for (const [name, binding] of detailOf(app, unit)?.facts.exports ?? []) if (binding.kind === "local" && binding.local === local) return name;
  return local;
}

import { rungs, strongerRung, type Rung, type UnitVerdict } from "@midflight/protocol";
import type { Pane, Tone } from "../output/pane.ts";
import { rungSign } from "../output/symbols.ts";
import { displayWidth, hanging, padEnd, toPlainLine, wrap } from "../output/text.ts";

const tones: Readonly<Record<Rung, Tone>> = { patch: "good", redefine: "good", reload: "warn", replace: "bad" };

export function paintRung(pane: Pane, rung: Rung): string {
  return `${pane.paint(tones[rung], rungSign[rung])} ${rung}`;
}

/** Each changed unit with its rung and the reason; the evidence under it where a person has to act. */
export function renderVerdicts(verdicts: readonly UnitVerdict[], pane: Pane, indent: string): string[] {
  const sorted = [...verdicts].sort((a, b) => rungs.indexOf(a.rung) - rungs.indexOf(b.rung));
  const unitWidth = Math.min(32, Math.max(0, ...sorted.map((verdict) => displayWidth(verdict.unit))));
  return sorted.flatMap((verdict) => {
    const unit = toPlainLine(verdict.unit);
    const head = `${indent}${padEnd(paintRung(pane, verdict.rung), 11)} `;
    const reason = toPlainLine(verdict.reason);
    const evidence = verdict.rung === "replace" ? verdict.evidence.slice(0, 5).flatMap((one) => hanging("", indent.length + 2, toPlainLine(one), pane.width).map((line) => pane.paint("dim", line))) : [];
    const labelWidth = displayWidth(head) + unitWidth + 2;
    if (labelWidth + 24 > pane.width || displayWidth(unit) > unitWidth) {
      return [...wrap(`${head}${unit}`, pane.width), ...hanging("", indent.length + 4, reason, pane.width), ...evidence];
    }
    return [...hanging(`${head}${padEnd(unit, unitWidth)}`, labelWidth, reason, pane.width), ...evidence];
  });
}

/** "● 2 patch, ◆ 1 redefine"; "nothing" where no unit changed. */
export function countRungs(verdicts: readonly UnitVerdict[], pane: Pane): string {
  const parts = rungs.flatMap((rung) => {
    const n = verdicts.filter((verdict) => verdict.rung === rung).length;
    return n === 0 ? [] : [`${pane.paint(tones[rung], rungSign[rung])} ${n} ${rung}`];
  });
  return parts.length === 0 ? "no unit" : parts.join(", ");
}

/** A release's rung is that of its strongest unit; null if nothing changed. */
export function rungOf(verdicts: readonly UnitVerdict[]): Rung | null {
  return verdicts.reduce<Rung | null>((rung, verdict) => (rung === null ? verdict.rung : strongerRung(rung, verdict.rung)), null);
}

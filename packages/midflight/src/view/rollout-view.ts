import type { ResolvedConfig, RolloutState } from "@midflight/control";
import { formatAge, formatDurationMs } from "../output/duration.ts";
import type { Pane } from "../output/pane.ts";
import { sign } from "../output/symbols.ts";
import { count, hanging, toPlainLine } from "../output/text.ts";

type Finding = NonNullable<RolloutState["verdict"]>["findings"][number];

/** "1 process", "25 %", "all". */
export function stepName(step: string, isLast: boolean): string {
  if (isLast) return "all";
  return step.endsWith("%") ? `${step.slice(0, -1)} %` : count(Number(step), "process", "processes");
}

/** How a deploy will go on, if it goes by waves. */
export function renderSteps({ rollout: { steps, bakeMs } }: ResolvedConfig, pane: Pane): string[] {
  if (steps.length < 2) return [];
  const bake = ` → bake ${formatDurationMs(bakeMs)} → `;
  return hanging(`  ${pane.paint("strong", "Steps")}`, 9, steps.map((step, i) => stepName(step, i === steps.length - 1)).join(bake), pane.width);
}

/** False: it is at its end. */
export function isOpenPhase(phase: RolloutState["phase"]): boolean {
  return phase !== "done" && phase !== "rolled-back" && phase !== "overtaken";
}

/** Where a rollout is, in a few words: "25 % (wave 2 of 3) baking 12 s of 60 s". */
export function describeRollout(state: RolloutState, nowMs: number): string {
  const { steps, step, phase, phaseSince, bakeMs } = state;
  const wave = `${stepName(steps[step]!, step === steps.length - 1)} (wave ${step + 1} of ${steps.length})`;
  const forMs = Math.max(0, nowMs - phaseSince);
  switch (phase) {
    case "rolling":
      return `${wave} rolling`;
    case "baking":
      return `${wave} baking ${formatDurationMs(Math.min(forMs, bakeMs))} of ${formatDurationMs(bakeMs)}`;
    case "held":
    case "paused":
      return `${wave} ${phase} for ${formatDurationMs(forMs)}`;
    case "widening":
      return `${wave} did well, the next one follows`;
    case "aborting":
    case "returning":
      return `is taken back`;
    case "rolled-back":
      return "was taken back";
    case "done":
      return "has reached all";
    case "overtaken":
      return "was overtaken";
  }
}

/** A rollout for `status` and `ps`: the wave, what the gates measured, and what it waits for. */
export function renderRollout(state: RolloutState, pane: Pane, nowMs: number): string[] {
  const tone = state.phase === "rolled-back" || state.phase === "aborting" || state.phase === "returning" ? "bad" : state.phase === "held" || state.phase === "paused" ? "warn" : "accent";
  const mark = state.phase === "done" ? sign.done : state.phase === "rolled-back" ? sign.failed : sign.going;
  const held = !isOpenPhase(state.phase) ? "" : ` · on ${state.wave.join(", ") || "no process yet"} · by ${toPlainLine(state.by)}, ${formatAge(new Date(state.startedAt).toISOString(), nowMs)} ago`;
  return [
    ...hanging(`  ${pane.paint(tone, mark)}`, 4, `r${state.number} ${describeRollout(state, nowMs)}${held}`, pane.width),
    ...(state.because === null ? [] : hanging("   ", 4, toPlainLine(state.because), pane.width)),
    ...(state.verdict?.findings ?? []).flatMap((finding) => hanging("   ", 4, describeFinding(finding), pane.width)),
  ];
}

/** Metric, value, limit, sample count, and where. */
function describeFinding({ metric, value, limit, samples, on }: Finding): string {
  return toPlainLine(`${metric} ${value === null ? "not measured" : inUnit(metric, value)}, limit ${inUnit(metric, limit)} · ${count(samples, "sample")} · ${on}`);
}

function inUnit(metric: string, value: number): string {
  if (metric === "errors") return `${Number((value * 100).toPrecision(3))} %`;
  return metric === "p99" ? `${Number(value.toPrecision(3))} ms` : String(Number(value.toPrecision(6)));
}

/** Why a rollout was taken back: the sentence, then each thing that was measured. */
export function reasonsOf(because: string, verdict: RolloutState["verdict"] | undefined): string[] {
  return [...because.split("; "), ...(verdict?.kind === "failed" ? verdict.findings.map(describeFinding) : [])];
}

/** A rollout as JSON says it, everywhere the same. */
export function rolloutJson(state: RolloutState | null): Readonly<Record<string, unknown>> | null {
  if (state === null) return null;
  const { number, release, phase, step, steps, wave, bakeMs, phaseSince, waveSince, startedAt, by, because, verdict, backTo } = state;
  return {
    release: `r${number}`, digest: release, phase, wave: step + 1, waves: steps.length, steps, processes: wave, bakeSeconds: bakeMs / 1000, by, because, verdict,
    startedAt: new Date(startedAt).toISOString(), waveSince: new Date(waveSince).toISOString(), phaseSince: new Date(phaseSince).toISOString(), backTo: backTo === null ? null : `r${backTo}`,
  };
}

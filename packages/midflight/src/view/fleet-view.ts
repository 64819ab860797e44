import type { Member, Standing } from "@midflight/control";
import type { Drift, DriftKind, ReleaseId } from "@midflight/protocol";
import { formatAge } from "../output/duration.ts";
import type { Pane, Tone } from "../output/pane.ts";
import { sign } from "../output/symbols.ts";
import { count, hanging, toPlainLine } from "../output/text.ts";

const signs: Readonly<Record<Standing, { readonly sign: string; readonly tone: Tone }>> = {
  confirmed: { sign: sign.done, tone: "good" },
  moving: { sign: sign.going, tone: "accent" },
  refused: { sign: sign.failed, tone: "bad" },
  reverted: { sign: sign.failed, tone: "bad" },
  unregistered: { sign: sign.warning, tone: "warn" },
  absent: { sign: sign.failed, tone: "bad" },
};

export type Numbers = ReadonlyMap<ReleaseId, number>;

/** "r12"; "?" for code of no known release. */
export function releaseName(id: ReleaseId | null | undefined, numbers: Numbers): string {
  if (id === null || id === undefined) return "–";
  const number = numbers.get(id);
  return number === undefined ? id.slice(7, 14) : `r${number}`;
}

export function paintStanding(pane: Pane, standing: Standing): string {
  return `${pane.paint(signs[standing].tone, signs[standing].sign)} ${standing}`;
}

/** One line per process: what it runs and how it stands. */
export function memberCells(member: Member, numbers: Numbers, pane: Pane): string[] {
  const { beat, record } = member;
  return [
    member.target,
    releaseName(beat?.live, numbers),
    paintStanding(pane, member.standing),
    beat === null ? "–" : String(beat.pid),
    beat === null ? "–" : formatAge(beat.startedAt, Date.now()),
    toPlainLine([member.because ?? driftNote(beat?.drift) ?? record?.url ?? "", ...(record === null || record.leaving === null ? [] : [`process ${record.leaving.pid} before it is draining`])].filter((part) => part !== "").join(" · ")),
  ];
}

const driftWords: Readonly<Record<DriftKind, string>> = {
  guard: "calls do not find the release's code any more",
  text: "its text is not the release's",
  replaced: "other code stands in its place",
};

/** One line per declaration that somebody else changed in a process. */
export function driftLines(drift: readonly Drift[] | undefined, indent: string, pane: Pane): string[] {
  return (drift ?? []).flatMap(({ unit, declaration, kind }) => hanging(`${indent}${pane.paint("bad", sign.warning)}`, indent.length + 2, toPlainLine(`${unit} ${declaration}: ${driftWords[kind]}`), pane.width));
}

function driftNote(drift: readonly Drift[] | undefined): string | null {
  return drift === undefined || drift.length === 0 ? null : `somebody else changed ${count(drift.length, "declaration")} in it`;
}

/** A process as JSON says it, everywhere the same. */
export function memberJson({ target, service, standing, beat, record, because, outcome }: Member, numbers: Numbers): Readonly<Record<string, unknown>> {
  return {
    target, service, standing, because,
    release: beat?.live === undefined || beat.live === null ? null : releaseName(beat.live, numbers),
    boot: beat?.boot === undefined || beat.boot === null ? null : releaseName(beat.boot, numbers),
    state: beat?.state ?? null,
    pid: beat?.pid ?? record?.identity?.pid ?? null,
    host: beat?.host ?? null,
    runtime: beat?.runtime ?? null,
    generation: beat?.generation ?? null,
    startedAt: beat?.startedAt ?? record?.startedAt ?? null,
    url: record?.url ?? null,
    drift: beat?.drift ?? [],
    drainingPid: record?.leaving?.pid ?? null,
    failures: record?.failures ?? 0,
    log: record?.logPath ?? null,
    pauseSeconds: outcome?.kind === "swapped" ? outcome.pauseMs / 1000 : null,
  };
}

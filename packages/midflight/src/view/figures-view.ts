import type { Figures } from "@midflight/control";
import { addLatencies, latencyBuckets, latencyQuantile, type LatencyCounts, type Measured } from "@midflight/protocol";
import { formatDurationMs } from "../output/duration.ts";
import type { Pane } from "../output/pane.ts";
import { renderTable } from "../output/table.ts";
import { groupThousands, hanging } from "../output/text.ts";
import { releaseName, type Numbers } from "./fleet-view.ts";

/** Figures with what they are of: a service, or a process. */
export interface NamedFigures {
  readonly of: string;
  readonly figures: Figures;
}

/** A table of what was measured; nothing if nobody was asked anything. */
export function renderFigures(title: "SERVICE" | "PROCESS", all: readonly NamedFigures[], numbers: Numbers, pane: Pane): string[] {
  if (!all.some(({ figures }) => figures.requests > 0)) return [];
  const columns = [
    { title }, { title: "RELEASE" }, ...(title === "SERVICE" ? [{ title: "MEASURED", align: "right" } as const] : []),
    { title: "REQ/S", align: "right" }, { title: "P50", align: "right" }, { title: "P99", align: "right" }, { title: "ERRORS", align: "right" },
  ] as const;
  const rows = all.map(({ of, figures }) => [
    of, releaseName(figures.release, numbers), ...(title === "SERVICE" ? [String(figures.processes)] : []),
    sayRate(figures.perSecond), sayMs(figures.p50Ms), sayMs(figures.p99Ms), sayErrors(figures, pane),
  ]);
  const overMs = Math.max(...all.map(({ figures }) => figures.overMs));
  return ["", ...renderTable(columns, rows, pane.width), ...hanging("", 0, pane.paint("dim", `Requests that ended in the last ${formatDurationMs(overMs)}, as the processes measured them.`), pane.width)];
}

/** Figures as JSON says them, everywhere the same; durations in seconds, errors as a share. */
export function figuresJson({ release, processes, overMs, requests, errors, perSecond, p50Ms, p99Ms }: Figures, numbers: Numbers): Readonly<Record<string, unknown>> {
  return {
    release: releaseName(release, numbers), processes, overSeconds: overMs / 1000, requests, errors, perSecond: Number(perSecond.toFixed(3)), errorShare: requests === 0 ? null : errors / requests,
    p50Seconds: p50Ms === null ? null : p50Ms / 1000, p99Seconds: p99Ms === null ? null : p99Ms / 1000,
  };
}

/** All that one process measured: lately, and by release since each became live in it. Null: it does not measure. */
export function measuredJson(lately: Figures | undefined, measured: Measured | undefined, numbers: Numbers): Readonly<Record<string, unknown>> | null {
  if (lately === undefined || measured === undefined) return null;
  const seconds = (latency: LatencyCounts, q: number): number | null => {
    const counts = Array.from({ length: latencyBuckets }, () => 0);
    addLatencies(counts, latency);
    const ms = latencyQuantile(counts, q);
    return ms === null ? null : ms / 1000;
  };
  return {
    ...figuresJson(lately, numbers),
    releases: measured.releases.map(({ release, sinceMs, requests, errors, left, open, latency }) => ({
      release: releaseName(release, numbers), since: new Date(sinceMs).toISOString(), requests, errors, left, open, p50Seconds: seconds(latency, 0.5), p99Seconds: seconds(latency, 0.99),
    })),
  };
}

function sayRate(perSecond: number): string {
  return perSecond > 0 && perSecond < 9.95 ? perSecond.toFixed(1) : groupThousands(Math.round(perSecond));
}

function sayMs(ms: number | null): string {
  if (ms === null) return "–";
  return ms < 9.95 ? `${ms.toFixed(1)} ms` : ms < 9950 ? `${groupThousands(Math.round(ms))} ms` : formatDurationMs(ms);
}

function sayErrors({ requests, errors }: Figures, pane: Pane): string {
  if (requests === 0) return "–";
  if (errors === 0) return "0 %";
  const percent = (errors / requests) * 100;
  return pane.paint("bad", `${percent >= 10 ? Math.round(percent) : Number(percent.toPrecision(2))} %`);
}

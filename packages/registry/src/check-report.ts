import { MidflightError, parseReport, type Report } from "@midflight/protocol";
import { maxReportBytes } from "./limits.ts";

/**
 * A report as it is kept: only fields that are known, and its text.
 * @throws MidflightError `OBJECT_INVALID`, `OBJECT_TOO_LARGE`
 */
export function checkReport(value: Report): { readonly report: Report; readonly text: string } {
  const report = parseReport(value);
  const text = JSON.stringify(report);
  if (text.length > maxReportBytes) throw new MidflightError("OBJECT_TOO_LARGE", `A report of ${text.length} characters is over the limit of ${maxReportBytes}.`);
  return { report, text };
}

export function clampLimit(limit: number | undefined, fallback: number, max: number): number {
  return limit === undefined || !Number.isFinite(limit) ? fallback : Math.min(Math.max(Math.trunc(limit), 1), max);
}

import type { RunCommand } from "../cli/context.ts";
import { formatAge } from "../output/duration.ts";
import { hanging, toPlainLine } from "../output/text.ts";
import { nameOf, originLines, releaseJson, stateWords, subjectOf } from "../view/release-view.ts";
import { renderVerdicts } from "../view/verdict-view.ts";
import { connected } from "./connected.ts";

/** `midflight show [r12]`: where it comes from, what it changed and why that way, and what became of it in each process. */
export function show(given: string | undefined): RunCommand {
  return (context) =>
    connected(context, "reader", async (connection) => {
      const { findRelease, readHistory } = await import("@midflight/control");
      const history = await readHistory(connection);
      const record = findRelease(history, given ?? `r${history.head?.number ?? 1}`);
      const { id, release } = record;
      const { provenance } = release;
      const transition = record.before === null ? null : history.transition(record.before, id);
      const before = history.releases.find((one) => one.id === record.before);
      const reports = await connection.registry.reports({ channel: connection.config.channelName, release: id });
      const pane = context.screen.out;
      const line = (label: string, text: string): string[] => (text === "" ? [] : hanging(`  ${label}`, 12, toPlainLine(text), pane.width));
      const lines = [
        `${pane.paint("strong", nameOf(release, id))}  ${stateWords[record.state]}`,
        ...line("Subject", subjectOf(provenance)),
        ...line("Digest", id),
        ...line("Published", `${record.publishedAt} (${formatAge(record.publishedAt, Date.now())} ago) by ${provenance.builder}`),
        ...originLines(provenance).flatMap(([label, text]) => line(label, text)),
        ...line("Units", String(release.units)),
        ...record.assigns.flatMap((assign) => line("Assigned", `${assign.issuedAt} ${assign.cause} by ${assign.by}${assign.why === null ? "" : `: ${assign.why}`}`)),
        ...(transition === null ? [] : [`Changes from r${before?.number ?? "?"}`, ...renderVerdicts(transition.verdicts, pane, "  ")]),
        ...(reports.length === 0 ? [] : ["Processes"]),
        ...reports.flatMap(({ from, outcome, at }) =>
          line(from.target, outcome.kind === "swapped" ? `swapped, paused ${outcome.pauseMs.toFixed(2)} ms, ${at}` : `${wordFor(outcome)}: ${outcome.reason}, ${at}`),
        ),
      ];
      return {
        data: {
          ...releaseJson(record), assigns: record.assigns, before: before === undefined ? null : `r${before.number}`,
          rung: transition?.rung ?? null, verdicts: transition?.verdicts ?? [],
          processes: reports.map(({ from, outcome, at, counter }) => ({ target: from.target, pid: from.pid, at, counter, ...outcome })),
        },
        lines,
        next: record.state === "assigned" ? [{ command: "midflight rollback", why: "go back to the release before" }] : [{ command: `midflight deploy r${release.number}`, why: "bring this one live again" }],
      };
    });
}

/** That a process has to be replaced is how a replacement begins, and not how it ends. */
function wordFor({ kind, code }: { readonly kind: "refused" | "reverted"; readonly code: string }): string {
  return code === "REPLACE_NEEDED" && kind === "refused" ? "needed a new process" : `${kind} ${code}`;
}

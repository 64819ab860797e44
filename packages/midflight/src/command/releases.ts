import type { ReleaseRecord } from "@midflight/control";
import type { RunCommand } from "../cli/context.ts";
import { formatAge } from "../output/duration.ts";
import { renderTable } from "../output/table.ts";
import { count, displayWidth, toPlainLine } from "../output/text.ts";
import { originOf, releaseJson, stateWords } from "../view/release-view.ts";
import { connected } from "./connected.ts";

const columns = [{ title: "RELEASE" }, { title: "STATE" }, { title: "COMMIT" }, { title: "AGE", align: "right" }, { title: "BY" }, { title: "SUBJECT" }] as const;

/** `midflight releases` */
export function releases(options: Readonly<Record<string, unknown>>): RunCommand {
  return (context) =>
    connected(context, "reader", async (connection) => {
      const { readHistory } = await import("@midflight/control");
      const history = await readHistory(connection);
      const limit = Number(options["limit"] ?? 20);
      const shown = history.releases.slice(0, limit);
      const { width } = context.screen.out;
      const left = history.releases.length - shown.length;
      return {
        data: { releases: shown.map(releaseJson), total: history.releases.length, isTruncated: history.isTruncated },
        lines: [
          ...(shown.length === 0 ? ["There is no release yet."] : fitSubjects(shown, width)),
          ...(left > 0 ? [`${count(left, "older release")} not shown: --limit ${history.releases.length}`] : []),
        ],
        next: shown.length > 1 ? [{ command: `midflight releases diff r${shown[1]!.number} r${shown[0]!.number}`, why: "what changed in the newest" }] : [],
      };
    });
}

/** The subject takes what room is left, shortened with a mark; `show` has all of it. */
function fitSubjects(records: readonly ReleaseRecord[], width: number): string[] {
  const now = Date.now();
  const rows = records.map(({ id, release, state, publishedAt, assigns }) => [
    `r${release.number}`, stateWords[state], originOf(release.provenance, id), formatAge(publishedAt, now),
    toPlainLine(assigns.at(-1)?.by ?? release.provenance.builder), toPlainLine(release.provenance.vcs?.subject ?? ""),
  ]);
  const room = width - columns.slice(0, -1).reduce((sum, column, i) => sum + 2 + Math.max(column.title.length, ...rows.map((row) => displayWidth(row[i]!))), 0);
  const cut = rows.map((row) => (room >= 12 && displayWidth(row[5]!) > room ? [...row.slice(0, 5), `${row[5]!.slice(0, room - 1)}…`] : row));
  return renderTable(columns, cut, width);
}

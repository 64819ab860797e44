import type { DatabaseSync, StatementSync } from "node:sqlite";
import type { Report, ReportQuery } from "@midflight/protocol";
import { clampLimit } from "./check-report.ts";
import { maxReportsPerChannel } from "./limits.ts";

/** The newest reports of each channel in SQLite. Every method is synchronous. */
export class SqliteReports {
  readonly #insert: StatementSync;
  readonly #select: StatementSync;
  readonly #trim: StatementSync;

  constructor(db: DatabaseSync) {
    this.#insert = db.prepare("INSERT INTO reports(id, channel, release, counter, report) VALUES(?, ?, ?, ?, ?) ON CONFLICT(id) DO NOTHING");
    this.#select = db.prepare(`SELECT report FROM reports WHERE channel = :channel AND (:release IS NULL OR release = :release)
      AND (:counter IS NULL OR counter = :counter) ORDER BY n DESC LIMIT :limit`);
    this.#trim = db.prepare(`DELETE FROM reports WHERE channel = :channel
      AND n <= (SELECT n FROM reports WHERE channel = :channel ORDER BY n DESC LIMIT 1 OFFSET :kept)`);
  }

  /** Keeps reports that were checked; one that is kept already changes nothing. Must be called in a transaction. */
  add(reports: readonly { readonly report: Report; readonly text: string }[]): void {
    for (const { report, text } of reports) this.#insert.run(report.id, report.channel, report.outcome.release, report.counter, text);
    for (const channel of new Set(reports.map(({ report }) => report.channel))) this.#trim.run({ channel, kept: maxReportsPerChannel });
  }

  query({ channel, release, counter, limit }: ReportQuery): readonly Report[] {
    const rows = this.#select.all({
      channel, release: release ?? null, counter: counter ?? null, limit: clampLimit(limit, 1_000, maxReportsPerChannel),
    });
    return rows.map((row) => JSON.parse(String(row["report"])) as Report);
  }
}

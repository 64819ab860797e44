import { displayWidth, hanging, padEnd, padStart } from "./text.ts";

export interface Column {
  readonly title: string;
  readonly align?: "left" | "right";
}

const gap = 2;

/**
 * Rows under headings if all of it fits into `width`; else one card per row, so that nothing is dropped or cut.
 * The first column names the row.
 */
export function renderTable(columns: readonly Column[], rows: readonly (readonly string[])[], width: number): string[] {
  const widths = columns.map((column, i) => Math.max(displayWidth(column.title), ...rows.map((row) => displayWidth(row[i] ?? ""))));
  const total = widths.reduce((sum, w) => sum + w + gap, -gap);
  return total <= width ? renderRows(columns, rows, widths) : renderCards(columns, rows, width);
}

function renderRows(columns: readonly Column[], rows: readonly (readonly string[])[], widths: readonly number[]): string[] {
  const line = (cells: readonly string[]): string =>
    columns
      .map((column, i) => (column.align === "right" ? padStart(cells[i] ?? "", widths[i]!) : padEnd(cells[i] ?? "", widths[i]!)))
      .join(" ".repeat(gap))
      .trimEnd();
  return [line(columns.map((column) => column.title)), ...rows.map(line)];
}

function renderCards(columns: readonly Column[], rows: readonly (readonly string[])[], width: number): string[] {
  const [, ...rest] = columns;
  const labelWidth = Math.max(...rest.map((column) => displayWidth(column.title))) + 4;
  return rows.flatMap((row) => [
    ...hanging("", 0, row[0] ?? "", width),
    ...rest.flatMap((column, i) => hanging(`  ${column.title.toLowerCase()}`, labelWidth, row[i + 1] ?? "", width)),
  ]);
}

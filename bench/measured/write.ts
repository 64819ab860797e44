// Writes the README's table of figures from bench/results: `npx node bench/measured/write.ts`. A test proves both equal.
import { readFileSync, writeFileSync } from "node:fs";
import path from "node:path";
import { fileURLToPath } from "node:url";
import { renderMeasured } from "./table.ts";

const readme = path.resolve(import.meta.dirname, "../../README.md");
const begin = "<!-- Written by bench/measured/write.ts. -->\n";
const end = "<!-- To here. -->\n";

/** The README's text with the table as it has to be. */
export function withMeasured(text: string): string {
  const [before = "", rest] = text.split(begin);
  const [, after] = rest?.split(end) ?? [];
  if (after === undefined) throw new Error("README.md has lost the marks of its table of figures");
  return `${before}${begin}\n${renderMeasured()}${end}${after}`;
}

if (process.argv[1] === fileURLToPath(import.meta.url)) writeFileSync(readme, withMeasured(readFileSync(readme, "utf8")));

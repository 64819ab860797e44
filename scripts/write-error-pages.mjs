// Writes docs/errors.md into the CLI, so that `midflight explain CODE` works offline. A test proves both equal.
import fs from "node:fs";
import path from "node:path";
import { fileURLToPath } from "node:url";

const root = path.resolve(path.dirname(fileURLToPath(import.meta.url)), "..");
const target = path.join(root, "packages/midflight/src/explain/error-pages.ts");

/** The module's text, made from docs/errors.md. */
export function renderErrorPages() {
  const [, ...sections] = fs.readFileSync(path.join(root, "docs/errors.md"), "utf8").split(/^## /m);
  const pages = sections.map((section) => {
    const code = section.slice(0, section.indexOf("\n"));
    const line = (/** @type {string} */ name) => JSON.stringify(new RegExp(`^- \\*\\*${name}\\*\\* (.*)$`, "m").exec(section)?.[1] ?? "");
    return `  ${code}: { what: ${line("What")}, why: ${line("Why")}, state: ${line("State")}, fix: ${line("Do")} },\n`;
  });
  return [
    "// Written by scripts/write-error-pages.mjs from docs/errors.md; change that file, then run the script.\n",
    'import type { ErrorCode } from "@midflight/protocol";\n\n',
    "/** What is true of every error of a code, in the words of docs/errors.md. */\n",
    "export interface ErrorPage {\n  readonly what: string;\n  readonly why: string;\n  readonly state: string;\n  readonly fix: string;\n}\n\n",
    `export const errorPages: Readonly<Record<ErrorCode, ErrorPage>> = {\n${pages.join("")}};\n`,
  ].join("");
}

if (process.argv[1] === fileURLToPath(import.meta.url)) fs.writeFileSync(target, renderErrorPages());

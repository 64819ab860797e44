import { stripTypeScriptTypes } from "node:module";
import { MidflightError } from "@midflight/protocol";

/**
 * Takes the types out of TypeScript and leaves white space where they were, so that every line and column stays.
 * As Node does when it runs such a file itself.
 *
 * @throws MidflightError `UNIT_SYNTAX` with the place
 */
export function stripTypes(path: string, source: string): string {
  try {
    return quietly(() => stripTypeScriptTypes(source, { mode: "strip" }));
  } catch (cause) {
    const { line, column } = placeOf(cause, source);
    throw syntaxError(path, line, column, cause instanceof Error ? cause.message : String(cause), cause);
  }
}

/** A unit that is no JavaScript refuses the whole tree. */
export function syntaxError(path: string, line: number, column: number, reason: string, cause?: unknown): MidflightError {
  return new MidflightError(
    "UNIT_SYNTAX",
    {
      what: `${path}:${line}:${column} cannot be parsed: ${reason}.`,
      why: "The file has a syntax error, or syntax that Node does not run.",
      state: "Nothing was published; what was live stays live.",
      fix: ["Correct the line named, then deploy again."],
      details: { path, line, column },
    },
    cause === undefined ? {} : { cause },
  );
}

/** Node puts the place in front of the stack: `:LINE`, some lines of the text, and carets below the one that is wrong. */
function placeOf(error: unknown, source: string): { line: number; column: number } {
  const [head = ""] = (error instanceof Error ? (error.stack ?? "") : "").split("\n\nSyntaxError", 1);
  const line = /^[^\n]*:(\d+)\n/.exec(head);
  if (line === null) return { line: source.split("\n").length, column: 1 };
  const carets = /^( *)\^+ *$/m.exec(head);
  return { line: Number(line[1]), column: (carets?.[1]?.length ?? 0) + 1 };
}

/** Node warns once that stripping is experimental; a user of ours can do nothing with that. */
let isFirst = true;
function quietly<T>(run: () => T): T {
  if (!isFirst) return run();
  // oxlint-disable-next-line typescript/unbound-method -- it is put back as it was
  const { emitWarning } = process;
  process.emitWarning = () => undefined;
  try {
    return run();
  } finally {
    process.emitWarning = emitWarning;
    isFirst = false;
  }
}

import type { MidflightError } from "@midflight/protocol";
import type { Answer, Next } from "./answer.ts";
import { completeFacts, renderError } from "./error-text.ts";
import { exitCodeOf, exits, type ExitCode } from "./exit-code.ts";
import type { Pane } from "./pane.ts";
import type { Screen } from "./screen.ts";
import { displayWidth, hanging } from "./text.ts";

/** The version of the JSON form. A new field does not change it; a changed meaning does. */
export const jsonSchema = 1;

/** Prints what a command says and gives its exit code. Data goes to stdout, an error's text to stderr. */
export function printAnswer(screen: Screen, answer: Answer): ExitCode {
  const exit = answer.exit ?? (answer.error === undefined ? exits.done : exitCodeOf(answer.error.code));
  if (screen.isJson) {
    screen.out.raw(`${JSON.stringify(toJson(answer))}\n`);
    return exit;
  }
  screen.out.print(...answer.lines);
  if (answer.error !== undefined) screen.err.print(...renderError(answer.error, screen.err));
  const told = answer.error?.facts.fix ?? [];
  if (!screen.isQuiet) screen.err.print(...renderNext((answer.next ?? []).filter(({ command }) => !told.some((fix) => fix.includes(command))), screen.err));
  return exit;
}

export function toJson(answer: Answer): Readonly<Record<string, unknown>> {
  return {
    schema: jsonSchema,
    ok: answer.error === undefined,
    ...answer.data,
    ...(answer.error === undefined ? {} : { error: completeFacts(answer.error) }),
    next: answer.next ?? [],
  };
}

export function toErrorAnswer(error: MidflightError): Answer {
  const page = { command: `midflight explain ${error.code}`, why: "what this error means" };
  const commands = (error.facts.fix ?? []).flatMap((fix) => /^midflight [^\n]*$/.exec(fix.replace(/\s\s+.*$/, "")) ?? []);
  return { data: {}, lines: [], error, next: [...commands.map((command) => ({ command, why: "what to do about it" })), page] };
}

function renderNext(next: readonly Next[], pane: Pane): string[] {
  return next.flatMap(({ command, why }, i) => {
    const label = i === 0 ? "  Next   " : "         ";
    const line = `${label}${command}   ${why}`;
    return displayWidth(line) <= pane.width ? [`${label}${command}   ${pane.paint("dim", why)}`] : [...hanging(label, 9, command, pane.width), ...hanging("", 11, why, pane.width)];
  });
}

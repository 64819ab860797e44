import type { MidflightError } from "@midflight/protocol";
import { errorPages } from "../explain/error-pages.ts";
import type { Pane } from "./pane.ts";
import { sign } from "./symbols.ts";
import { hanging, toPlainLine, wrap } from "./text.ts";

const labelWidth = 9;

/** An error's facts, completed by what is true of every error of its code. */
export interface FullFacts {
  readonly code: string;
  readonly what: string;
  readonly why: string;
  readonly state: string;
  readonly fix: readonly string[];
  readonly retryable: boolean;
  readonly details: Readonly<Record<string, string | number | boolean>>;
}

export function completeFacts(error: MidflightError): FullFacts {
  const { code, facts } = error;
  // A newer registry may send a code that this version has no page for.
  const page = errorPages[code] ?? errorPages.INTERNAL;
  return {
    code,
    what: facts.what,
    why: facts.why ?? page.why,
    state: facts.state ?? page.state,
    fix: facts.fix !== undefined && facts.fix.length > 0 ? facts.fix : [page.fix],
    retryable: facts.retryable ?? false,
    details: facts.details ?? {},
  };
}

/** The four lines: what, why, state, do. A line that holds line breaks (a log's end) is indented as a block. */
export function renderError(error: MidflightError, pane: Pane): string[] {
  const facts = completeFacts(error);
  const [first = "", ...rest] = wrap(toPlainLine(facts.what), pane.width - 4);
  const part = (label: string, text: string): string[] => {
    const [head = "", ...block] = text.split("\n");
    return [...hanging(`  ${label}`, labelWidth, toPlainLine(head), pane.width), ...block.flatMap((line) => hanging("    ", 4, toPlainLine(line), pane.width))];
  };
  return [
    `${pane.paint("bad", sign.failed)} ${pane.paint("strong", facts.code)}`,
    ...[first, ...rest].map((line) => `  ${line}`),
    ...part("Why", facts.why),
    ...part("State", facts.state),
    ...facts.fix.flatMap((fix, i) => part(i === 0 ? "Do" : "or", fix)),
  ];
}

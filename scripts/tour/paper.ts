import type { Pane } from "../../packages/midflight/src/output/pane.ts";
import { sign } from "../../packages/midflight/src/output/symbols.ts";
import { hanging } from "../../packages/midflight/src/output/text.ts";
import type { LiveLine } from "../../packages/midflight/src/output/live-line.ts";

/** Room for the longest label, and a gap. */
export const labelWidth = 11;

/** What the tour writes on, and what it claims: a claim that is not true is written down as such, and remembered. */
export interface Paper {
  readonly pane: Pane;
  readonly claims: { readonly held: number; readonly broken: string[] };
  title(text: string): void;
  /** Lines as they are. */
  readonly print: (...lines: readonly string[]) => void;
  /** Text beside a label. */
  tell(label: string, text: string): void;
  /** Says with a sign whether it is true. */
  claim(label: string, isTrue: boolean, text: string): void;
}

export function createPaper(pane: Pane, line: LiveLine): Paper {
  let held = 0;
  const broken: string[] = [];
  const print = (...lines: readonly string[]): void => line.above(() => pane.print(...lines));
  return {
    pane,
    claims: {
      get held() {
        return held;
      },
      broken,
    },
    print,
    title: (text) => print("", pane.paint("strong", text)),
    tell: (label, text) => print(...hanging(`  ${label}`, labelWidth, text, pane.width)),
    claim: (label, isTrue, text) => {
      if (isTrue) held += 1;
      else broken.push(text);
      const mark = isTrue ? pane.paint("good", sign.done) : pane.paint("bad", sign.failed);
      const [first = "", ...rest] = hanging("", labelWidth + 2, text, pane.width);
      print(`  ${label}`.padEnd(labelWidth) + mark + first.slice(labelWidth + 1), ...rest);
    },
  };
}

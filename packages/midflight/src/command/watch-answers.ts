import type { Context } from "../cli/context.ts";
import type { Answer } from "../output/answer.ts";
import { printAnswer } from "../output/print-answer.ts";

const pollMs = 250;

/**
 * Shows an answer again whenever it changes, until Ctrl-C: drawn in place on a terminal, one line per change in
 * JSON (NDJSON), one block per change elsewhere.
 */
export async function watchAnswers(context: Context, read: () => Promise<Answer>, keyOf: (answer: Answer) => string): Promise<void> {
  const { screen } = context;
  const left = Promise.withResolvers<null>();
  const stopHandling = context.interrupts.handle(() => left.resolve(null));
  let key = "";
  let drawn = 0;
  try {
    while (true) {
      const answer = await Promise.race([read(), left.promise]);
      if (answer === null) return;
      const next = keyOf(answer);
      if (screen.isJson || !screen.out.isLive) {
        if (next !== key) printAnswer(screen, screen.isJson ? answer : { ...answer, next: [] });
      } else {
        // Synchronized output: the terminal shows the new block at once, or the old one.
        const up = drawn === 0 ? "" : `\u001b[${drawn}A`;
        screen.out.raw(`\u001b[?2026h${up}\r\u001b[J`);
        screen.out.print(...answer.lines);
        screen.out.raw("\u001b[?2026l");
        drawn = answer.lines.length;
      }
      key = next;
      let timer: NodeJS.Timeout | undefined;
      const pause = new Promise<undefined>((resolve) => {
        timer = setTimeout(() => resolve(undefined), pollMs);
      });
      const ended = await Promise.race([pause, left.promise]);
      clearTimeout(timer);
      if (ended === null) return;
    }
  } finally {
    stopHandling();
  }
}

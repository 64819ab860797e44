import type { Pane } from "./pane.ts";
import { sign, spinnerFrames } from "./symbols.ts";
import { displayWidth } from "./text.ts";

/** A line that tells what is going on. On a terminal it is drawn again in place; elsewhere each new text is a line, and one in which only durations differ now and then. */
export interface LiveLine {
  /** Says what is going on now. */
  show(text: string): void;
  /** Lets something else be printed above the live line, to either stream. */
  above(print: () => void): void;
  /** Takes the line away. Safe to call twice. */
  end(): void;
}

const frameMs = 100;

/**
 * @param pane the error stream's; progress is never data.
 * @param isSpinning false where nothing is waited for
 */
export function openLiveLine(pane: Pane, isSilent: boolean, isSpinning = true): LiveLine {
  if (isSilent) return { show: () => {}, above: (print) => print(), end: () => {} };
  if (!pane.isLive) return openPlainLine(pane);
  let text = "";
  let frame = 0;
  let isDrawn = false;
  const clear = (): void => {
    if (isDrawn) pane.redraw("");
    isDrawn = false;
  };
  const draw = (): void => {
    if (text === "") return clear();
    const room = pane.width - 3;
    const mark = isSpinning ? spinnerFrames[frame % spinnerFrames.length]! : sign.waiting;
    pane.redraw(`${pane.paint("accent", mark)} ${displayWidth(text) > room ? `${text.slice(0, room - 1)}…` : text}`);
    isDrawn = true;
  };
  const timer = setInterval(() => {
    frame += 1;
    if (isSpinning) draw();
  }, frameMs);
  timer.unref();
  return {
    show: (next) => {
      const isNews = next !== text;
      text = next;
      if (isNews) draw();
    },
    above: (print) => {
      clear();
      print();
      draw();
    },
    end: () => {
      clearInterval(timer);
      clear();
      text = "";
    },
  };
}

/** How often a log is told that nothing but time has passed. */
const remindMs = 10_000;
const durations = /\d[\d.]* (?:ms|s|m|h|d)\b/g;

function openPlainLine(pane: Pane): LiveLine {
  let last = "";
  let printedAt = 0;
  return {
    show: (text) => {
      if (text === "" || text === last) return;
      const isOnlyLater = text.replaceAll(durations, "") === last.replaceAll(durations, "");
      if (isOnlyLater && performance.now() - printedAt < remindMs) return;
      pane.print(text);
      last = text;
      printedAt = performance.now();
    },
    above: (print) => print(),
    end: () => {},
  };
}

import { styleText } from "node:util";
import { toAscii } from "./symbols.ts";

/** The part of a stream that is written to. */
export interface Sink {
  readonly isTTY?: boolean;
  readonly columns?: number;
  write(text: string): unknown;
}

export type Tone = "good" | "bad" | "warn" | "dim" | "strong" | "accent";
const formats: Readonly<Record<Tone, Parameters<typeof styleText>[0]>> = {
  good: "green", bad: "red", warn: "yellow", dim: "dim", strong: "bold", accent: "cyan",
};

/** One of the two streams, with what is known about who reads it. */
export interface Pane {
  /** Columns that output has to fit into; 80 when nobody's terminal says otherwise. */
  readonly width: number;
  /** True if lines may be drawn again: a terminal that understands it. */
  readonly isLive: boolean;
  /** Marks text, if colours are wanted here; the text alone must say all. */
  paint(tone: Tone, text: string): string;
  /** Writes lines, each with a line end. */
  print(...lines: readonly string[]): void;
  /** Draws the line that the cursor is on anew, without a line end; only where `isLive`. */
  redraw(text: string): void;
  /** Writes text as it is, e.g. machine-readable data. */
  raw(text: string): void;
}

export interface PaneOptions {
  readonly isColoured: boolean;
  readonly isUnicode: boolean;
  readonly isDumb: boolean;
}

export function createPane(sink: Sink, options: PaneOptions): Pane {
  const shape = options.isUnicode ? (text: string): string => text : toAscii;
  const isTerminal = sink.isTTY === true;
  return {
    get width(): number {
      return isTerminal && sink.columns !== undefined && sink.columns > 0 ? Math.max(20, sink.columns) : 80;
    },
    isLive: isTerminal && !options.isDumb,
    paint: (tone, text) => (options.isColoured && text !== "" ? styleText(formats[tone], text, { validateStream: false }) : text),
    print: (...lines) => {
      if (lines.length > 0) sink.write(shape(`${lines.join("\n")}\n`));
    },
    redraw: (text) => {
      sink.write(`\r\u001b[K${shape(text)}`);
    },
    raw: (text) => {
      sink.write(text);
    },
  };
}

import type { ScreenEnvironment } from "../config/environment.ts";
import { createPane, type Pane, type Sink } from "./pane.ts";

export interface Streams {
  readonly stdin: NodeJS.ReadStream;
  readonly stdout: Sink;
  readonly stderr: Sink;
}

export interface ScreenFlags {
  readonly json: boolean;
  /** Undefined: as the environment says. */
  readonly color?: boolean;
  readonly input: boolean;
  readonly quiet: boolean;
}

/** Where everything goes: data to `out`, all else (progress, questions, warnings) to `err`. */
export interface Screen {
  readonly out: Pane;
  readonly err: Pane;
  readonly isJson: boolean;
  readonly isQuiet: boolean;
  /** True if a person is there to answer a question. */
  readonly canAsk: boolean;
  readonly streams: Streams;
}

export function createScreen(streams: Streams, flags: ScreenFlags, environment: ScreenEnvironment): Screen {
  const pane = (sink: Sink): Pane =>
    createPane(sink, {
      isColoured: isColoured(sink, flags, environment),
      isUnicode: environment.isUnicode,
      isDumb: environment.isDumb,
    });
  return {
    out: pane(streams.stdout),
    err: pane(streams.stderr),
    isJson: flags.json,
    isQuiet: flags.quiet,
    canAsk: flags.input && !flags.json && streams.stdin.isTTY === true && streams.stderr.isTTY === true && !environment.isCi,
    streams,
  };
}

/** https://no-color.org and https://force-color.org; a flag wins over both. */
function isColoured(sink: Sink, flags: ScreenFlags, environment: ScreenEnvironment): boolean {
  if (flags.color === false || environment.noColor) return false;
  if (flags.color === true || environment.forceColor) return true;
  return sink.isTTY === true && !environment.isDumb;
}

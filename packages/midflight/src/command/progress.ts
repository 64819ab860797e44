import type { Context } from "../cli/context.ts";
import { openLiveLine, type LiveLine } from "../output/live-line.ts";

/** What is going on, on stderr; silent with --json off a terminal, and with --quiet. */
export function progressOf({ screen }: Context): LiveLine {
  return openLiveLine(screen.err, screen.isQuiet || screen.isJson);
}

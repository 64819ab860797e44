import path from "node:path";
import type { Control, ControlEvent } from "@midflight/control";
import type { Context, RunCommand } from "../cli/context.ts";
import { openLiveLine } from "../output/live-line.ts";
import { jsonSchema } from "../output/print-answer.ts";
import { count } from "../output/text.ts";
import { eventJson, renderEvent } from "../view/event-view.ts";
import { followLogs } from "./follow-logs.ts";

/** `midflight up [--watch]`: runs until Ctrl-C or SIGTERM, then ends what it started. */
export function up(options: Readonly<Record<string, unknown>>): RunCommand {
  return async (context) => {
    const config = await context.loadConfig();
    const { besideName, layoutOf, startControl, targetsOf } = await import("@midflight/control");
    const { screen } = context;
    const isWatching = options["watch"] === true;
    const stopped = Promise.withResolvers<NodeJS.Signals>();
    let signals = 0;
    const stopHandling = context.interrupts.handle((signal) => {
      signals += 1;
      // The second one does not wait for the processes; the next `up` finds what is left of them.
      if (signals === 1) stopped.resolve(signal);
      else process.exit(130);
    });
    const live = openLiveLine(screen.err, screen.isJson || screen.isQuiet || !screen.err.isLive, false);
    const listen = (event: ControlEvent): void => live.above(() => tell(context, event));
    const layout = layoutOf(config.projectDir);
    const logs = options["logs"] === true ? followLogs(config.services.flatMap(targetsOf).flatMap((target) => [target, besideName(target)].map((name) => ({ target, path: layout.log(name) }))), (line) => live.above(() => screen.err.print(line))) : null;
    live.show("Starting");
    let control: Control | null = null;
    try {
      control = await startControl(config, { watch: isWatching, listen });
      const outcomes = await Promise.race([control.started, stopped.promise]);
      if (typeof outcomes !== "string") live.above(() => tellStarted(context, outcomes, isWatching, control!.url));
      const timer = setInterval(() => live.show(describe(config.app, control!)), 1000);
      live.show(describe(config.app, control));
      const signal = await stopped.promise;
      clearInterval(timer);
      live.show("Ending the processes");
      await control.close();
      return { data: { event: "stopped", signal }, lines: ["  Stopped. Releases are kept; midflight up starts the live one again."] };
    } finally {
      stopHandling();
      logs?.close();
      await control?.close();
      live.end();
    }
  };
}

function tell({ screen }: Context, event: ControlEvent): void {
  if (screen.isJson) screen.out.raw(`${JSON.stringify({ schema: jsonSchema, ok: !("error" in event), ...eventJson(event) })}\n`);
  else screen.out.print(...renderEvent(event, screen.out));
}

function tellStarted({ screen, directory }: Context, outcomes: readonly ("ready" | "failed")[], isWatching: boolean, url: string): void {
  const ready = outcomes.filter((outcome) => outcome === "ready").length;
  if (screen.isJson) {
    screen.out.raw(`${JSON.stringify({ schema: jsonSchema, ok: true, event: "started", registry: url, ready, processes: outcomes.length })}\n`);
    return;
  }
  const place = path.basename(directory);
  screen.out.print(
    `  ${ready} of ${count(outcomes.length, "process", "processes")} ready in ${place}.`,
    isWatching ? "  Change code: it goes live by itself. Undo: midflight rollback" : "  Change code, build it, then: midflight deploy   (or: midflight up --watch)",
  );
}

function describe(app: string, control: Control): string {
  const ready = control.processes.filter((process) => process.phase === "ready").length;
  return `${app} · ${ready} of ${count(control.processes.length, "process", "processes")} ready · Ctrl-C ends`;
}

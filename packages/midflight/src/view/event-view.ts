import type { ControlEvent } from "@midflight/control";
import { renderError } from "../output/error-text.ts";
import { formatDurationMs } from "../output/duration.ts";
import type { Pane } from "../output/pane.ts";
import { sign } from "../output/symbols.ts";
import { count, hanging, toPlainLine, wrap } from "../output/text.ts";
import { renderRollout, rolloutJson } from "./rollout-view.ts";
import { renderVerdicts } from "./verdict-view.ts";

/** An event in words; what needs a look is told in full. */
export function renderEvent(event: ControlEvent, pane: Pane): string[] {
  const good = pane.paint("good", sign.done);
  const bad = pane.paint("bad", sign.failed);
  const line = (mark: string, text: string): string[] => hanging(`  ${mark}`, 4, toPlainLine(text), pane.width);
  switch (event.kind) {
    case "registry-open":
      return line("·", `registry  ${event.url}`);
    case "published":
      return [...line(good, `r${event.number} published in ${formatDurationMs(event.tookMs)}`), ...renderVerdicts(event.verdicts, pane, "    ")];
    case "publish-failed":
    case "trouble":
      return renderError(event.error, pane);
    case "live":
      return line("·", `r${event.number} is live by ${event.cause}${event.why === null ? "" : `: ${event.why}`}`);
    case "process-starting":
      return [];
    case "process-ready":
      return [
        ...line(good, `${event.target}  r${event.number}  ${event.isAdopted ? "found running, taken over" : `ready in ${formatDurationMs(event.tookMs)}`}  process ${event.pid}${event.url === null ? "" : `  ${event.url}`}`),
        ...(event.isUnregistered ? line("!", `${event.target} runs code that is no known release; it will not be changed while it runs.`) : []),
      ];
    case "process-failed":
      return [
        ...line(bad, `${event.target}${event.number === 0 ? "" : `  r${event.number}`}  ${event.because}; ${event.wasReady ? "started again" : "tried again"} in ${formatDurationMs(event.againInMs)}`),
        ...event.lastLines.flatMap((text) => wrap(`    ${toPlainLine(text)}`, pane.width).map((one) => pane.paint("dim", one))),
        ...hanging("    log", 8, event.logPath, pane.width),
      ];
    case "process-replacing":
      return line("■", `${event.target} ${event.isHandOver ? "is replaced" : "is started anew"}: ${event.reason}`);
    case "process-drained":
      return line("·", `${event.target}  r${event.number}  process ${event.pid} ended after ${formatDurationMs(event.tookMs)}; ${count(event.handedOver, "idle connection", "idle connections")} handed over${event.left === 0 ? "" : `, ${event.left} cut off when time was up`}`);
    case "replace-failed":
      return [
        ...line(bad, `${event.target}  r${event.number}  ${event.because}; the process before it serves on`),
        ...event.lastLines.flatMap((text) => wrap(`    ${toPlainLine(text)}`, pane.width).map((one) => pane.paint("dim", one))),
        ...hanging("    log", 8, event.logPath, pane.width),
      ];
    case "rollout":
      return renderRollout(event.rollout, pane, Date.now());
    case "process-confirmed":
      return line(good, `${event.target} runs r${event.number}, paused ${event.pauseMs.toFixed(1)} ms`);
    case "process-refused":
      return line(bad, `${event.target} ${event.isReverted ? "took back" : "refused"} r${event.number}: ${event.code}, ${event.reason}`);
    case "orphan-ended":
      return line("!", `${event.target}, process ${event.pid}, was left behind by an earlier midflight up, and was ended`);
    case "boot-failed-twice":
    case "replace-taken-back":
      return renderError(event.error, pane);
    case "stopping":
      return line("·", `ending ${count(event.processes, "process", "processes")}`);
  }
}

/** An event as one JSON object; durations in seconds, as everywhere in JSON. */
export function eventJson(event: ControlEvent): Readonly<Record<string, unknown>> {
  if (event.kind === "rollout") return { event: "rollout", ...rolloutJson(event.rollout) };
  const { kind, ...rest } = event;
  const error = "error" in rest ? { error: { code: rest.error.code, ...rest.error.facts } } : {};
  const facts = Object.entries(rest).map(([key, value]) => (key.endsWith("Ms") && typeof value === "number" ? [key.replace(/(In)?Ms$/, "$1Seconds"), value / 1000] : [key, value]));
  return { event: kind, ...(Object.fromEntries(facts) as Record<string, unknown>), ...error };
}

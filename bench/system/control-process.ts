// Registry and control, as `midflight up` runs them. Code is published by another process, or, as with `--watch`, by this one.
import { startControl } from "@midflight/control";
import { readSetup, tell } from "./project.ts";

const { config, isWatching } = readSetup();
const control = await startControl(config, {
  watch: isWatching,
  listen(event) {
    if (event.kind === "published" && event.number > 1) tell("published", { number: event.number, rung: event.rung, publishedAt: performance.timeOrigin + performance.now() });
    if (event.kind === "process-failed") tell("failed", { because: event.because, lastLines: event.lastLines });
    if (event.kind === "publish-failed") tell("failed", { because: event.error.message });
    if (event.kind === "process-confirmed" || event.kind === "process-refused") tell(event.kind, event);
  },
});
process.once("SIGTERM", () => void control.close().then(() => process.exit(0)));
const outcomes = await control.started;
tell(outcomes.every((outcome) => outcome === "ready") ? "ready" : "failed", { url: control.url, pids: control.processes.map((one) => one.pid) });

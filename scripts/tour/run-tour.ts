import { isMidflightError } from "@midflight/protocol";
import { readScreenEnvironment } from "../../packages/midflight/src/config/environment.ts";
import { renderError } from "../../packages/midflight/src/output/error-text.ts";
import { openLiveLine } from "../../packages/midflight/src/output/live-line.ts";
import { createScreen, type Screen } from "../../packages/midflight/src/output/screen.ts";
import { sign } from "../../packages/midflight/src/output/symbols.ts";
import { count } from "../../packages/midflight/src/output/text.ts";
import { createEnding } from "./ending.ts";
import { openScene, type TourOptions } from "./open-scene.ts";
import { createPaper } from "./paper.ts";
import { proveEnd } from "./proof.ts";
import { stayUp } from "./stay-up.ts";
import { tellStory } from "./story.ts";

const signals: readonly NodeJS.Signals[] = ["SIGINT", "SIGTERM", "SIGHUP"];

/** Somebody ends the tour before its end. */
class Left extends Error {}

/** Runs the tour. The result is the exit code: 0 every claim held, 1 one did not, 130 somebody left before the end. */
export async function runTour(options: TourOptions): Promise<number> {
  const screen = createScreen({ stdin: process.stdin, stdout: process.stdout, stderr: process.stderr }, { json: false, input: false, quiet: false }, readScreenEnvironment(options.variables));
  const line = openLiveLine(screen.err, !screen.err.isLive || !screen.out.isLive);
  const paper = createPaper(screen.out, line);
  const leaving = new AbortController();
  const onSignal = (): void => {
    // The second one does not wait for the processes to end.
    if (leaving.signal.aborted) process.exit(130);
    leaving.abort(new Left());
  };
  for (const signal of signals) process.on(signal, onSignal);
  // A reader that has enough (`| head`) has left too; nothing more can be told, and everything has to end.
  const onOutputError = (): void => leaving.abort(new Left());
  for (const stream of [process.stdout, process.stderr]) stream.on("error", onOutputError);
  const left = new Promise<never>((_, reject) => leaving.signal.addEventListener("abort", () => reject(leaving.signal.reason as Error), { once: true }));
  left.catch(() => {}); // met by whoever waits
  const end = createEnding();
  try {
    const scene = await Promise.race([end.after(openScene(options, paper, line, leaving.signal, end)), left]);
    const story = tellStory(scene);
    end.whenDone(story);
    await Promise.race([story, left]);
    if (!options.once && screen.out.isLive && paper.claims.broken.length === 0) await stayUp(scene, leaving.signal);
    await proveEnd(paper, scene.load, scene.memories);
  } catch (error) {
    if (error instanceof Left) return 130;
    paper.claims.broken.push("the tour came to its end");
    paper.print("", ...describe(error, screen));
  } finally {
    line.show("ending the shop");
    await end.run();
    line.end();
    for (const signal of signals) process.off(signal, onSignal);
  }
  const { held, broken } = paper.claims;
  if (broken.length > 0) paper.print("", `${paper.pane.paint("bad", sign.failed)} ${broken.length} of ${count(held + broken.length, "claim")} did not hold.`);
  else paper.print("", `${paper.pane.paint("good", sign.done)} All ${held} claims held.`);
  return broken.length === 0 ? 0 : 1;
}

function describe(error: unknown, { out }: Screen): string[] {
  if (isMidflightError(error)) return renderError(error, out);
  return [`${out.paint("bad", sign.failed)} ${error instanceof Error ? error.message : String(error)}`];
}

import path from "node:path";
import { isMidflightError } from "@midflight/protocol";
import { readScreenEnvironment, type Variables } from "../../packages/midflight/src/config/environment.ts";
import { renderError } from "../../packages/midflight/src/output/error-text.ts";
import { openLiveLine, type LiveLine } from "../../packages/midflight/src/output/live-line.ts";
import { createScreen, type Screen } from "../../packages/midflight/src/output/screen.ts";
import { sign } from "../../packages/midflight/src/output/symbols.ts";
import { count, groupThousands } from "../../packages/midflight/src/output/text.ts";
import { createNews } from "./news.ts";
import { createEventLog } from "./event-log.ts";
import { findFreePorts } from "./free-ports.ts";
import { openLoad, type Load } from "./load.ts";
import { createPaper, type Paper } from "./paper.ts";
import { proveEnd, remember } from "./proof.ts";
import { copyShop } from "./shop-copy.ts";
import { openShopper } from "./shopper.ts";
import { stayUp } from "./stay-up.ts";
import { loadEdits, tellStory, type Scene } from "./story.ts";
import { openSystem } from "./system.ts";

export interface TourOptions {
  /** The repository. */
  readonly root: string;
  /** The folder of the shop that is copied. */
  readonly shop: string;
  readonly once: boolean;
  readonly variables: Variables;
}

const processes = 2;
const ratePerSecond = 60;
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
  const closers: (() => unknown)[] = [];
  try {
    const left = new Promise<never>((_, reject) => leaving.signal.addEventListener("abort", () => reject(leaving.signal.reason as Error), { once: true }));
    left.catch(() => {}); // met by whoever waits
    const scene = await Promise.race([openScene(options, paper, line, leaving.signal, closers), left]);
    await Promise.race([tellStory(scene), left]);
    if (!options.once && screen.out.isLive && paper.claims.broken.length === 0) await stayUp(scene, leaving.signal);
    await proveEnd(paper, scene.load, scene.memories);
  } catch (error) {
    if (error instanceof Left) return 130;
    paper.claims.broken.push("the tour came to its end");
    paper.print("", ...describe(error, screen));
  } finally {
    line.show("ending the shop");
    for (const close of closers.toReversed()) await close();
    line.end();
    for (const signal of signals) process.off(signal, onSignal);
  }
  const { held, broken } = paper.claims;
  if (broken.length > 0) paper.print("", `${paper.pane.paint("bad", sign.failed)} ${broken.length} of ${count(held + broken.length, "claim")} did not hold.`);
  else paper.print("", `${paper.pane.paint("good", sign.done)} All ${held} claims held.`);
  return broken.length === 0 ? 0 : 1;
}

/** Everything that the story needs, each part with the way to end it. */
async function openScene({ root, shop, variables }: TourOptions, paper: Paper, line: LiveLine, signal: AbortSignal, closers: (() => unknown)[]): Promise<Scene> {
  line.show("starting the shop");
  const edits = await loadEdits(shop);
  const wanted = Number(variables["PORT"] ?? 3000);
  const firstPort = await findFreePorts(Number.isInteger(wanted) && wanted > 0 ? wanted : 3000, processes);
  const copy = await copyShop({ root, shop, processes, firstPort, variables });
  closers.push(async () => {
    if (paper.claims.broken.length === 0 && (await copy.repository?.isClean()) !== false) return copy.remove();
    paper.print(`  Kept     ${path.relative(root, copy.folder)}, with the logs in .midflight/logs`);
  });
  paper.print(paper.pane.paint("strong", "A shop under load, changed while it runs"));
  paper.tell("Shop", `a copy of ${path.relative(root, shop)} in ${path.relative(root, copy.folder)}${copy.repository === null ? "" : ", with a git repository of its own"}`);
  const news = createNews(paper);
  const log = createEventLog(news.tell);
  const system = await openSystem(copy.folder, log, signal);
  closers.push(() => system.close());
  const live = await system.live();
  for (const [target, url] of system.urls) paper.tell("Process", `${target} runs ${live.name}, open on ${url}`);
  const memories = await Promise.all([...system.urls].map(async ([target, url]) => remember(await openShopper(target, url))));
  const load: Load = await openLoad({ targets: [...system.urls.values()], ratePerSecond });
  closers.push(() => load.kill());
  paper.tell("Load", `${ratePerSecond} requests a second at each, on a fixed schedule, none sent twice; a stream of events held open`);
  const timer = setInterval(() => line.show(`load  ${groupThousands(load.answered)} answered · ${load.failed} failed · Ctrl-C ends`), 200);
  closers.push(() => clearInterval(timer));
  return { paper, copy, system, log, news, load, memories, edits };
}

function describe(error: unknown, { out }: Screen): string[] {
  if (isMidflightError(error)) return renderError(error, out);
  return [`${out.paint("bad", sign.failed)} ${error instanceof Error ? error.message : String(error)}`];
}

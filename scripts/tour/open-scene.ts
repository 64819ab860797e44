import path from "node:path";
import type { Variables } from "../../packages/midflight/src/config/environment.ts";
import type { LiveLine } from "../../packages/midflight/src/output/live-line.ts";
import { groupThousands } from "../../packages/midflight/src/output/text.ts";
import { startBuiltShop, type BuiltShop } from "./built-shop.ts";
import type { Ending } from "./ending.ts";
import { createEventLog } from "./event-log.ts";
import { findFreePorts } from "./free-ports.ts";
import { clearLeftovers } from "./leftovers.ts";
import { openLoad } from "./load.ts";
import { createNews } from "./news.ts";
import type { Paper } from "./paper.ts";
import { remember } from "./proof.ts";
import { copyShop, isEdited, makePlace, removeCopy } from "./shop-copy.ts";
import { openShopper } from "./shopper.ts";
import { loadEdits, type Scene } from "./story.ts";
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

/** Everything that the story needs, each part with the way to end it. */
export async function openScene({ root, shop, variables }: TourOptions, paper: Paper, line: LiveLine, signal: AbortSignal, ending: Ending): Promise<Scene> {
  line.show("starting the shop");
  const edits = await loadEdits(shop);
  await clearLeftovers(root, variables);
  const wanted = Number(variables["PORT"] ?? 3000);
  const firstPort = await findFreePorts(Number.isInteger(wanted) && wanted > 0 ? wanted : 3000, processes);
  const copy = await copyShop({ root, shop, processes, firstPort, variables });
  ending.add(async () => {
    await ending.done;
    if (paper.claims.broken.length === 0 && !(await isEdited(copy.folder, copy.repository))) return removeCopy(copy.folder);
    paper.print(`  Kept     ${path.relative(root, copy.folder)}, with the logs in .midflight/logs`);
  });
  paper.print(paper.pane.paint("strong", "A shop under load, changed while it runs"));
  paper.tell("Shop", `a copy of ${path.relative(root, shop)} in ${path.relative(root, copy.folder)}${copy.repository === null ? "" : ", with a git repository of its own"}`);
  const news = createNews(paper);
  const log = createEventLog(news.tell, signal);
  const system = await openSystem(copy.folder, log, signal, { watch: true });
  ending.add(() => system.close());
  const live = await system.live();
  for (const [target, url] of system.urls) paper.tell("Process", `${target} runs ${live.name}, open on ${url}`);
  const memories = await Promise.all([...system.urls].map(async ([target, url]) => remember(await openShopper(target, url))));
  const load = await openLoad({ targets: [...system.urls.values()], ratePerSecond });
  ending.add(() => load.kill());
  paper.tell("Load", `${ratePerSecond} requests a second at each, on a fixed schedule, none sent twice; a stream of events held open`);
  const timer = setInterval(() => line.show(`load  ${groupThousands(load.answered)} answered · ${load.failed} failed · Ctrl-C ends`), 200);
  ending.add(() => clearInterval(timer));
  const openBuiltShop = (): Promise<BuiltShop> => {
    if (signal.aborted) return Promise.reject(signal.reason as Error); // what is opened after the ending began, nobody closes
    const place = makePlace(root);
    const opening = place.then((folder) => startBuiltShop(folder, { root, copy, firstPort: firstPort + processes, ratePerSecond, news, signal }));
    ending.add(async () => {
      await ending.done;
      const folder = await place;
      if (paper.claims.broken.length === 0) return removeCopy(folder);
      paper.print(`  Kept     ${path.relative(root, folder)}`);
    });
    ending.add(async () => {
      const [opened] = await Promise.allSettled([opening]);
      if (opened.status === "fulfilled") await opened.value.close();
    });
    return opening;
  };
  return { paper, copy, system, log, news, load, memories, edits, openBuiltShop };
}

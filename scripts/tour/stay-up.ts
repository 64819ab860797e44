import path from "node:path";
import { count, groupThousands } from "../../packages/midflight/src/output/text.ts";
import { handOver } from "./shop-copy.ts";
import type { Scene } from "./story.ts";

/** The shop stays open for edits of whoever is there, until they leave. */
export async function stayUp({ paper, copy, system, log, news, load }: Scene, signal: AbortSignal): Promise<void> {
  await handOver(copy);
  const folder = path.relative(process.cwd(), copy.folder) || ".";
  paper.title("Now you");
  paper.tell("Open", [...system.urls.values()][0] ?? "");
  paper.tell("Edit", `${path.join(folder, "src/pricing.ts")}, say the shipping fees in shippingFor(), and save: it goes live by itself`);
  paper.tell("Look", `npx midflight -C ${folder} status   (or: releases, show, ps, rollback)`);
  paper.tell("End", "Ctrl-C");
  paper.print("");
  news.tellAll();
  while (!signal.aborted) {
    const from = log.end;
    if ((await log.next(from, (event) => event.kind === "process-confirmed", system.urls.size, signal)) === null) return;
    await load.until("answers after the change", (now, before) => now.answered + now.failed >= before.answered + before.failed + 30);
    paper.claim("", load.failed === 0, `${groupThousands(load.failed)} of ${groupThousands(load.answered + load.failed)} requests failed so far, on ${count(system.urls.size, "process", "processes")}`);
  }
}

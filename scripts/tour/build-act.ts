import path from "node:path";
import { createCollector, folderSource, openProvenance, openPublisher, type PublishOutcome } from "@midflight/publisher";
import { formatDurationMs } from "../../packages/midflight/src/output/duration.ts";
import { count } from "../../packages/midflight/src/output/text.ts";
import { originLines, subjectOf } from "../../packages/midflight/src/view/release-view.ts";
import { renderVerdicts } from "../../packages/midflight/src/view/verdict-view.ts";
import type { BuiltShop, Checkout } from "./built-shop.ts";
import { labelWidth } from "./paper.ts";
import { proveNothingLost, proveWhatRuns } from "./proof.ts";
import type { Scene } from "./story.ts";

/** As a CI system sets them for its jobs. */
const jobVariables = { CI: "true", BUILD_NUMBER: "42", BUILD_URL: "https://ci.example.com/shop/42" } as const;
const meta = { ticket: "SHOP-7" } as const;

/** What a job built goes live: from its folder, with where it comes from. */
export async function takeBuild({ paper, edits, copy, openBuiltShop }: Scene): Promise<void> {
  const shop = await openBuiltShop();
  try {
    const { system, load, memories, log } = shop;
    const first = await system.live();
    paper.tell("Shop", "a second one: it runs dist/, compiled from the first one's sources, and nobody watches it");
    for (const [target, url] of system.urls) paper.tell("Process", `${target} runs ${first.name}, open on ${url}`);
    const job = await shop.checkOut();
    await edits.makeEdit(job.folder, edits.bulkDiscountFromTwo);
    await job.repository?.commit("Give the bulk discount from two pieces on");
    await job.compile();
    paper.tell("CI job", `build ${jobVariables.BUILD_NUMBER} has filled ${path.join(path.relative(path.resolve(copy.folder, "../.."), job.folder), "dist")}`);

    const before = await memories[0]!.shopper.bill();
    const from = log.end;
    const startedAtMs = performance.now();
    const outcome = await publishFolder(shop, job);
    if (outcome.kind !== "published") throw new Error(`the build should have gone live: ${outcome.kind === "refused" ? outcome.reason : "nothing changed"}`);
    const [head = "", ...rest] = renderVerdicts(outcome.verdicts, paper.pane, " ".repeat(labelWidth));
    paper.print("  Plan".padEnd(labelWidth) + head.slice(labelWidth), ...rest);
    const confirmed = await log.wait(from, `r${outcome.number} on all processes`, (one) => (one.kind === "process-confirmed" || one.kind === "process-refused") && one.number === outcome.number, memories.length);
    const live = await system.live();
    await system.settled(live);
    paper.tell("Live", `${live.name} on ${count(confirmed.length, "process", "processes")}, ${formatDurationMs(Math.max(...confirmed.map(({ atMs }) => atMs)) - startedAtMs)} after the folder was given`);
    const now = await memories[0]!.shopper.bill();
    paper.claim("", live.release === outcome.release && now.totalCents < before.totalCents && now.pieces === before.pieces, `the cart that was filled before costs ${now.total}; it was ${before.total}`);

    const { vcs, ci, meta: texts } = live.provenance;
    const isOfJob = ci?.provider === "ci" && ci.build === jobVariables.BUILD_NUMBER && ci.url === jobVariables.BUILD_URL && texts["ticket"] === meta.ticket;
    const isOfCommit = job.repository === null || (vcs !== null && vcs.commit === (await job.repository.head()) && !vcs.dirty);
    paper.claim("From", isOfJob && isOfCommit, `${[live.name, subjectOf(live.provenance)].filter((text) => text !== "").join(" ")}, as the signed release says`);
    for (const [label, text] of originLines(live.provenance)) paper.tell("", `  ${label.padEnd(8)}${text}`);
    await proveNothingLost(paper, load, memories);
    proveWhatRuns(paper, live, 1);
  } finally {
    await shop.close();
  }
}

/** All that somebody needs for a source of their own: an async iterable of whole trees, in front of the publisher. */
async function publishFolder({ system: { config, connection } }: BuiltShop, job: Checkout): Promise<PublishOutcome> {
  const { key, root } = connection.secrets;
  const collector = createCollector({ commands: config.services.map(({ name, run }) => ({ service: name, run })) });
  const publisher = openPublisher({
    registry: connection.registry,
    app: config.app,
    channel: config.channelName,
    keys: { builder: key, planner: key, controller: key },
    root,
    by: "a CI job",
    provenance: openProvenance({ projectDir: job.folder, code: ["dist"], environment: jobVariables }),
    analyses: collector.analyses,
  });
  try {
    let outcome: PublishOutcome | null = null;
    for await (const batch of folderSource({ projectDir: job.folder, code: ["dist"], isFinished: true })) outcome = await publisher.publish(await collector.collect(batch), { meta });
    return outcome ?? Promise.reject(new Error("the folder gave no batch"));
  } finally {
    publisher.close();
  }
}

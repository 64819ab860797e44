import { readFile } from "node:fs/promises";
import path from "node:path";
import { pathToFileURL } from "node:url";
import type { ControlEvent } from "@midflight/control";
import type { ShopEdit } from "../../examples/shop/edits.ts";
import { formatDurationMs } from "../../packages/midflight/src/output/duration.ts";
import { renderError } from "../../packages/midflight/src/output/error-text.ts";
import { count } from "../../packages/midflight/src/output/text.ts";
import { renderVerdicts } from "../../packages/midflight/src/view/verdict-view.ts";
import { takeBuild } from "./build-act.ts";
import type { BuiltShop } from "./built-shop.ts";
import type { EventLog } from "./event-log.ts";
import type { Load } from "./load.ts";
import type { News } from "./news.ts";
import { labelWidth, type Paper } from "./paper.ts";
import { proveNothingLost, proveWhatRuns, type Memory } from "./proof.ts";
import type { Bill } from "./shopper.ts";
import type { ShopCopy } from "./shop-copy.ts";
import type { Live, System } from "./system.ts";

/** What each act of the tour stands on. */
export interface Scene {
  readonly paper: Paper;
  readonly copy: ShopCopy;
  readonly system: System;
  readonly log: EventLog;
  readonly news: News;
  readonly load: Load;
  readonly memories: readonly Memory[];
  readonly edits: Edits;
  /** Once. It is closed at the end of the tour, or before. */
  readonly openBuiltShop: () => Promise<BuiltShop>;
}

/** The shop's own collection of edits, and how to make one. */
export interface Edits {
  readonly euroAfterAmount: ShopEdit;
  readonly chargeForGiftWrap: ShopEdit;
  readonly cartsKnowTheirCurrency: ShopEdit;
  readonly bulkDiscountFromTwo: ShopEdit;
  makeEdit(shopFolder: string, edit: ShopEdit): Promise<void>;
  undoEdit(shopFolder: string, edit: ShopEdit): Promise<void>;
}

export async function loadEdits(shop: string): Promise<Edits> {
  const file = path.join(shop, "edits.ts");
  await readFile(file); // says which file is missing, better than an import does
  return (await import(pathToFileURL(file).href)) as Edits;
}

const indent = " ".repeat(labelWidth);

/** Three edits, one after another, the way back, and a build from elsewhere. Each claim is checked where it is made. */
export async function tellStory(scene: Scene): Promise<void> {
  const { edits, paper, copy, system } = scene;
  const first = await system.live();

  paper.title(`1  Save an edit: ${edits.euroAfterAmount.name}`);
  await goLive(scene, edits.euroAfterAmount, (now, before) => now.total !== before.total && now.total.endsWith("€") && now.totalCents === before.totalCents, (bill) => bill.total);
  if (copy.repository !== null) paper.tell("", "a name ends in + while the edit is not committed");
  await copy.repository?.commit("Write the euro sign behind the amount");
  const second = await prove(scene, 1);

  paper.title(`2  Save another: ${edits.chargeForGiftWrap.name}`);
  await goLive(scene, edits.chargeForGiftWrap, (now, before) => now.surchargeCents > 0 && now.totalCents === before.totalCents + now.surchargeCents, (bill) => bill.total);
  await copy.repository?.commit("Charge for gift wrap");
  const third = await prove(scene, 2);

  paper.title(`3  Save one that cannot go live: ${edits.cartsKnowTheirCurrency.name}`);
  await beRefused(scene, edits.cartsKnowTheirCurrency, third);
  await prove(scene, 2);

  paper.title(`4  Go back: ${third.name} to ${second.name}`);
  await goBack(scene, second);
  await prove(scene, 3);
  paper.claim("", first.release !== second.release && second.release !== third.release, "three releases, each signed, each with a digest of its own");

  paper.title(`5  Take what a CI job built: ${edits.bulkDiscountFromTwo.name}`);
  await takeBuild(scene);
}

async function goLive(scene: Scene, edit: ShopEdit, isRight: (now: Bill, before: Bill) => boolean, show: (bill: Bill) => string): Promise<void> {
  const { paper, log, system } = scene;
  const before = await bills(scene);
  const { from, savedAtMs, event } = await save(scene, edit);
  if (event.kind !== "published") {
    if (event.kind === "publish-failed") paper.print(...renderError(event.error, paper.pane));
    throw new Error(`"${edit.name}" should have gone live, and was refused`);
  }
  const [head = "", ...rest] = renderVerdicts(event.verdicts, paper.pane, indent);
  paper.print("  Plan".padEnd(labelWidth) + head.slice(labelWidth), ...rest);
  const confirmed = await log.wait(from, `r${event.number} on all processes`, (one) => (one.kind === "process-confirmed" || one.kind === "process-refused") && one.number === event.number, before.length);
  const refused = confirmed.flatMap(({ event: one }) => (one.kind === "process-refused" ? [`${one.target}: ${one.reason}`] : []));
  if (refused.length > 0) throw new Error(`r${event.number} was refused by ${refused.join("; ")}`);
  const live = await system.live();
  await system.settled(live);
  const tookMs = Math.max(...confirmed.map(({ atMs }) => atMs)) - savedAtMs;
  paper.tell("Live", `${live.name} on ${count(confirmed.length, "process", "processes")}, ${formatDurationMs(tookMs)} after the save (${system.config.publish.quietMs} ms of that to see that no more is saved)`);
  const now = await bills(scene);
  paper.claim("", live.release === event.release && now.every((bill, i) => isRight(bill, before[i]!)), `the cart that was filled before costs ${show(now[0]!)}; it was ${show(before[0]!)}`);
}

async function beRefused(scene: Scene, edit: ShopEdit, live: Live): Promise<void> {
  const { paper, system } = scene;
  const before = await bills(scene);
  const { event } = await save(scene, edit);
  if (event.kind !== "publish-failed") throw new Error(`"${edit.name}" should have been refused, and was published`);
  const { error } = event;
  paper.print(...renderError(error, paper.pane));
  const now = await system.live();
  paper.claim("Refused", error.code === "REPLACE_NEEDED" && error.facts.what.includes(edit.file), `as it has to be: ${edit.because}`);
  paper.claim("", now.release === live.release && now.counter === live.counter, `nothing was published; ${live.name} serves`);
  paper.claim("", JSON.stringify(await bills(scene)) === JSON.stringify(before), "the cart costs what it did");
}

async function goBack(scene: Scene, to: Live): Promise<void> {
  const { paper, log, system, copy, edits } = scene;
  const before = await bills(scene);
  const from = log.end;
  const startedAtMs = performance.now();
  const outcome = await system.rollback();
  if (outcome.kind !== "published") throw new Error(`the way back was not taken: ${outcome.kind === "refused" ? outcome.reason : "nothing changed"}`);
  const confirmed = await log.wait(from, "the way back on all processes", (one) => one.kind === "process-confirmed" && one.number === outcome.number, before.length);
  const live = await system.live();
  await system.settled(live);
  const tookMs = Math.max(...confirmed.map(({ atMs }) => atMs)) - startedAtMs;
  paper.tell("Live", `${live.name} on ${count(confirmed.length, "process", "processes")}, ${formatDurationMs(tookMs)} after the word; no file was read`);
  const now = await bills(scene);
  paper.claim("", live.release === to.release, "the very release that was live before, by digest");
  paper.claim("", now.every((bill, i) => bill.surchargeCents === 0 && bill.totalCents < before[i]!.totalCents), `gift wrap is on the house again: ${now[0]!.total}; it was ${before[0]!.total}`);
  // What is on disk becomes what is live. In this order no state in between can go live.
  await edits.undoEdit(copy.folder, edits.chargeForGiftWrap);
  await edits.undoEdit(copy.folder, edits.cartsKnowTheirCurrency);
  await copy.repository?.commit("Take the gift wrap back");
}

async function save({ paper, copy, log, edits }: Scene, edit: ShopEdit): Promise<{ from: number; savedAtMs: number; event: ControlEvent }> {
  const from = log.end;
  await edits.makeEdit(copy.folder, edit);
  const savedAtMs = performance.now();
  paper.tell("Saved", edit.file);
  const told = log.wait(from, `what becomes of "${edit.name}"`, (event) => event.kind === "published" || event.kind === "publish-failed");
  const [[first]] = await Promise.all([told, showChange(paper, copy)]);
  return { from, savedAtMs, event: first!.event };
}

async function showChange({ pane, print }: Paper, { repository }: ShopCopy): Promise<void> {
  const lines = (await repository?.changedLines()) ?? [];
  print(...lines.map((line) => pane.paint(line.startsWith("+") ? "good" : "bad", cut(indent + line, pane.width))));
}

async function bills({ memories }: Scene): Promise<Bill[]> {
  return Promise.all(memories.map(({ shopper }) => shopper.bill()));
}

async function prove({ paper, load, memories, system }: Scene, generation: number): Promise<Live> {
  await proveNothingLost(paper, load, memories);
  const live = await system.live();
  proveWhatRuns(paper, live, generation);
  return live;
}

/** Without UTF-8 the sign for what is left out is three characters long. */
function cut(text: string, width: number): string {
  return text.length > width ? `${text.slice(0, width - 3)}…` : text;
}

import { shortDigest } from "@midflight/protocol";
import { formatAge } from "../../packages/midflight/src/output/duration.ts";
import { renderTable } from "../../packages/midflight/src/output/table.ts";
import { count, groupThousands, hanging } from "../../packages/midflight/src/output/text.ts";
import { releaseName } from "../../packages/midflight/src/view/fleet-view.ts";
import type { Load } from "./load.ts";
import { keptCart } from "./load-messages.ts";
import { labelWidth, type Paper } from "./paper.ts";
import type { About, Bill, Shopper } from "./shopper.ts";
import type { Live } from "./system.ts";

/** What was seen of a process before the first edit, and is looked for after each. */
export interface Memory {
  readonly shopper: Shopper;
  about: About;
}

/** How many answers after a change are waited for, of each process, before anything is claimed. */
const answersAfter = 30;

export async function remember(shopper: Shopper): Promise<Memory> {
  return { shopper, about: await shopper.about() };
}

/** Proves that nobody noticed: no request failed, nothing is forgotten, the same processes serve. */
export async function proveNothingLost(paper: Paper, load: Load, memories: readonly Memory[]): Promise<void> {
  await load.until("answers and a delivery after the change", (now, before) => now.answered + now.failed >= before.answered + before.failed + answersAfter && now.stream.deliveries > before.stream.deliveries);
  const { figures } = load;
  const because = figures.map((one) => one.firstFailure).find((text) => text !== null) ?? null;
  paper.claim("Proof", load.failed === 0, `${groupThousands(load.failed)} of ${groupThousands(load.answered + load.failed)} requests failed so far${because === null ? "" : `: ${because}`}`);
  const broken = figures.filter(({ stream }) => stream.brokenBecause !== null || stream.missing > 0 || stream.events === 0);
  paper.claim("", broken.length === 0, `${count(figures.length, "event stream")} open since before the first edit, ${figures.reduce((sum, one) => sum + one.stream.missing, 0)} events missing`);
  const faults: string[] = [];
  for (const memory of memories) {
    const [about, bill] = await Promise.all([memory.shopper.about(), memory.shopper.bill()]);
    faults.push(...faultsOf(memory, about, bill));
    memory.about = about;
  }
  const orders = memories.reduce((sum, { about }) => sum + about.orders, 0);
  const carts = memories.reduce((sum, { about }) => sum + about.carts, 0);
  const text = `state kept: ${count(keptCart.pieces, "piece")} in the cart that was filled first, ${count(carts, "open cart")}, ${count(orders, "order")}, timers run on`;
  paper.claim("", faults.length === 0, faults.length === 0 ? text : `state: ${faults.join("; ")}`);
}

function faultsOf({ shopper, about: before }: Memory, about: About, bill: Bill): string[] {
  const faults: string[] = [];
  const expect = (isTrue: boolean, fault: string): void => {
    if (!isTrue) faults.push(`${shopper.target}: ${fault}`);
  };
  expect(about.pid === before.pid && about.startedAt === before.startedAt && about.orderPrefix === before.orderPrefix, `process ${before.pid} was replaced`);
  expect(bill.pieces === keptCart.pieces && bill.additions === keptCart.additions, `the cart holds ${bill.pieces} pieces, not ${keptCart.pieces}`);
  expect(about.carts >= before.carts, `${before.carts - about.carts} carts are gone`);
  expect(about.orders >= before.orders, `${before.orders - about.orders} orders are gone`);
  expect(about.requests > before.requests, "the counter of requests does not go on");
  return faults;
}

/** Proves which code each process runs, by the digest that its agent read back. */
export function proveWhatRuns(paper: Paper, live: Live, generation: number): void {
  const isRight = live.members.length > 0 && live.members.every(({ standing, beat }) => standing === "confirmed" && beat?.live === live.release && beat.generation === generation);
  paper.claim("", isRight, `${count(live.members.length, "process", "processes")} on ${live.name}, read back by digest`);
  const rows = live.members.map(({ target, beat }) => [
    target,
    beat === null ? "-" : String(beat.pid),
    beat === null ? "-" : formatAge(beat.startedAt, Date.now()),
    releaseName(beat?.boot, live.numbers),
    String(beat?.generation ?? "-"),
    releaseName(beat?.live, live.numbers),
    beat?.live === null || beat?.live === undefined ? "-" : shortDigest(beat.live),
  ]);
  const columns = ["PROCESS", "PID", "UP", "BOOTED", "GENERATION", "RUNS", "DIGEST"].map((title) => ({ title }));
  const indent = " ".repeat(labelWidth + 2);
  paper.print(...renderTable(columns, rows, paper.pane.width - indent.length).map((line) => paper.pane.paint("dim", indent + line)));
}

/** Ends the load, and proves that what it was told is in the books: no order was lost, none was made twice. */
export async function proveEnd(paper: Paper, load: Load, memories: readonly Memory[]): Promise<void> {
  const { figures, latencies, voidBecause } = await load.stop();
  const answered = load.answered + load.failed;
  const because = figures.map((one) => one.firstFailure).find((text) => text !== null) ?? null;
  paper.title("In the end");
  paper.claim("Load", load.failed === 0 && voidBecause === null, `${groupThousands(load.failed)} of ${groupThousands(answered)} requests failed${because === null ? "" : `: ${because}`}${voidBecause === null ? "" : `; the load shows nothing: ${voidBecause}`}`);
  for (const [i, { shopper, about: before }] of memories.entries()) {
    const { orders, pid, uptimeSeconds } = await shopper.about();
    const confirmed = figures[i]!.orders;
    const { p50, p99, max } = latencies[i]!;
    paper.claim("", orders === confirmed && pid === before.pid, `${shopper.target}: ${groupThousands(orders)} orders in the books, ${groupThousands(confirmed)} confirmed to customers; process ${pid}, up ${uptimeSeconds} s`);
    const tookMs = hanging("", labelWidth + 2, `answered in ${p50.toFixed(1)} ms (half), ${p99.toFixed(1)} ms (99 of 100), ${max.toFixed(1)} ms (slowest)`, paper.pane.width);
    paper.print(...tookMs.map((line) => paper.pane.paint("dim", line)));
  }
}

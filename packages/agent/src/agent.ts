import { MidflightError, type AgentState, type Digest, type Envelope, type Generation, type ReleaseId, type SwapOutcome } from "@midflight/protocol";
import type { BootRelease } from "./boot.ts";
import type { DriftWatch } from "./drift-watch.ts";
import { fetchOverlay, type FetchResult, type Sources } from "./fetch.ts";
import type { Floor } from "./floor.ts";
import type { Health } from "./health.ts";
import type { Inbox, Order } from "./inbox.ts";
import type { Live } from "./live.ts";
import { Machine } from "./machine.ts";
import type { Meter } from "./measure/meter.ts";
import type { Choice, Orders, Refusal } from "./orders.ts";
import { Pace } from "./pace.ts";
import { watchProbation } from "./probation.ts";
import type { Overlay, Runtime } from "./runtime/runtime.ts";
import { describeProblem } from "./signal.ts";
import { track, type Tracked } from "./track.ts";
import { wait } from "./wait.ts";

export interface AgentParts {
  readonly boot: BootRelease;
  readonly sources: Sources;
  readonly inbox: Inbox;
  readonly orders: Orders;
  readonly floor: Floor;
  readonly runtime: Runtime;
  readonly health: Health;
  readonly meter: Meter;
  readonly probationMs: number;
  /** Ends the agent; the app runs on. */
  readonly signal: AbortSignal;
  /** Writes down what is live, for a restart without the registry. */
  readonly record: (live: Live) => Promise<void>;
  /** The same at once, before the process dies. */
  readonly recordNow: (live: Live) => void;
  /** Bounds the blob cache, but for these. */
  readonly pruneSoon: (needed: ReadonlySet<Digest>) => void;
  readonly onState: (state: AgentState) => void;
  readonly onOutcome: (counter: number, outcome: SwapOutcome) => void;
  readonly drift: DriftWatch;
  readonly onTrouble: (where: string, problem: unknown) => void;
}

/** What the app has been asked meanwhile is answered by the new code before the agent goes on with what nobody waits for, in ms. */
const appFirstMs = 4;

/** How long a way back may be read before the one in memory is taken, in ms. */
const wayBackWaitMs = 2000;

type Fetched = Extract<FetchResult, { kind: "fetched" }>;

/**
 * One agent's life after the app may load: follow, fetch, verify, stage, swap, probation, report. It is driven by one
 * loop that walks `agentTransitions`; whatever goes wrong in here ends the loop and leaves the app alone.
 */
export class Agent {
  readonly #parts: AgentParts;
  readonly #machine: Machine;
  #live: Live;
  #order: Order | null = null;
  #loaded: Promise<void> = Promise.resolve();
  /** Settles when the last swap has been reported. */
  #reported: Promise<void> = Promise.resolve();

  constructor(parts: AgentParts, live: Live) {
    this.#parts = parts;
    this.#live = live;
    this.#machine = new Machine(parts.onState);
    // It may be found within the commit: the swap is reported first.
    parts.runtime.whenOverdue((reason) => void setImmediate(() => void this.#reported.then(() => this.#tellOverdue(reason))));
  }

  get state(): AgentState {
    return this.#machine.state;
  }

  get live(): ReleaseId {
    return this.#live.overlay.release;
  }

  get generation(): Generation {
    return this.#live.generation;
  }

  /** The app may load now; `live` is what it comes up on. Orders wait for `loaded`. */
  begin(live: Live, loaded: Promise<void>): void {
    this.#live = live;
    this.#parts.meter.begin(live.overlay.release);
    this.#loaded = loaded;
    this.#machine.on("booted");
  }

  /** A bug: nothing is done any more. */
  halt(): void {
    this.#machine.halt();
  }

  /** Runs until the signal is aborted or a bug is met. Never rejects. */
  async run(): Promise<void> {
    const { inbox, orders, onOutcome, onState, onTrouble } = this.#parts;
    try {
      await this.#loaded;
      if (this.#live.next !== undefined) await this.#goOn(this.#live.next);
      while (!this.#isOver()) {
        const seen = inbox.changes;
        let choice = await orders.next(this.live);
        while (choice.kind === "follow" && !this.#isOver()) choice = await this.#carryOut(choice.order);
        if (choice.kind === "keep") onState(this.state);
        if (!this.#isOver()) await inbox.changed(seen);
      }
    } catch (problem) {
      const { code, reason } = describeProblem(problem);
      onTrouble("agent", problem);
      if (this.#order !== null) onOutcome(this.#order.assign.counter, { kind: "refused", release: this.#order.assign.release, code, reason, unit: null });
    }
    this.#machine.halt();
  }

  /** An ordinary swap to what was live here before the process was started again; the registry may be away. */
  async #goOn(next: Live): Promise<void> {
    const { runtime, onState, onTrouble } = this.#parts;
    const staged = await runtime.stage(next.overlay);
    const busy = staged.kind === "staged" ? await runtime.drain(staged.staged) : staged;
    const commit = busy ?? (staged.kind === "staged" ? runtime.commit(staged.staged) : staged);
    if (commit.kind !== "committed") return onTrouble("come-up", new MidflightError(commit.code, commit.reason));
    await this.#become({ ...next, generation: commit.generation });
    onState(this.state);
  }

  #isOver(): boolean {
    return this.#parts.signal.aborted || this.state === "stopped";
  }

  /** Follows one order as far as it goes. The result is what came in its place, if something did. */
  async #carryOut(first: Order): Promise<Choice> {
    const { runtime } = this.#parts;
    const pace = new Pace();
    const fetched = await this.#fetchNewest(first, pace);
    if (fetched === null) {
      this.#machine.on("refused");
      return { kind: "keep" };
    }
    const { order, result } = fetched;
    if (result.kind === "given-up") return { kind: "none" };
    if (result.kind === "refused") return this.#refuse("refused", order, result, null);
    try {
      await fetched.raised;
    } catch (problem) {
      return this.#refuse("refused", order, { ...describeProblem(problem), unit: null }, null);
    }
    this.#machine.on("fetched");
    const staged = await runtime.stage(result.overlay);
    if (staged.kind === "refused") return this.#refuse("refused", order, staged, result.way.transition);
    this.#machine.on("staged");
    runtime.usePolicy(order.assign.requests);
    const busy = await runtime.drain(staged.staged);
    if (busy !== null) return this.#refuse("failed", order, busy, null);
    const commit = runtime.commit(staged.staged);
    if (commit.kind === "undone") return this.#refuse("failed", order, commit, result.way.transition);
    const { generation, units, bodies, live } = commit;
    const before = this.#live;
    const appFirst = wait(appFirstMs, this.#parts.signal);
    const recorded = this.#become({ overlay: result.overlay, way: result.way, blobs: result.blobs, generation }, appFirst);
    this.#parts.orders.done(order);
    this.#machine.on("swapped");
    const heldMs = Math.max(runtime.longestBlockMs(), pace.longestMs);
    return await this.#probation(order, before, appFirst, async () => {
      await appFirst;
      const read = await this.#parts.drift.read();
      await recorded;
      const pauseMs = Math.max(heldMs, read?.longestMs ?? 0);
      this.#parts.onOutcome(order.assign.counter, { kind: "swapped", release: order.assign.release, generation, units, bodies, pauseMs, live, ...(read !== null && { texts: read.texts }) });
    });
  }

  #refuse(event: "refused" | "failed", order: Order, { code, reason, unit }: Refusal, way: Envelope | null): Choice {
    this.#machine.on(event);
    this.#parts.orders.refuse(order, { code, reason, unit }, way);
    return { kind: "none" };
  }

  #tellOverdue(reason: string): void {
    this.#parts.onOutcome(this.#parts.orders.counter, { kind: "refused", release: this.live, code: "REQUESTS_OVERDUE", reason, unit: null });
  }

  /** Settles when a restart would come up on it too. */
  async #become(live: Live, first?: Promise<void>): Promise<void> {
    const { meter, record, onTrouble } = this.#parts;
    this.#live = live;
    meter.begin(live.overlay.release);
    await first;
    await record(live).catch((problem: unknown) => onTrouble("live-record", problem));
  }

  /** Fetches for the newest order, starting again whenever a newer one comes. Null: the newest is what is live. */
  async #fetchNewest(first: Order, pace: Pace): Promise<{ readonly order: Order; readonly result: FetchResult; readonly raised: Promise<void> } | null> {
    for (let order = first; ; ) {
      this.#order = order;
      this.#machine.on("assigned");
      // From here on no older assign is obeyed, whatever becomes of this one.
      const raised = this.#parts.floor.raise(order.assign);
      raised.catch(() => undefined);
      const overtaken = new AbortController();
      const fetching = fetchOverlay(this.#parts.sources, order.assign.release, pace, AbortSignal.any([this.#parts.signal, overtaken.signal]));
      // At most two generations are open: while requests of the one before are under way, the newest order waits.
      const work = track(this.#parts.runtime.single().then(() => fetching));
      const newer = await this.#newerThan(work);
      if (newer.kind === "none") return { order, result: await work.result, raised };
      overtaken.abort();
      if (newer.kind === "keep") return null;
      order = newer.order;
    }
  }

  /** Waits for the work, or for an order that overtakes it. Work that is done comes first. */
  async #newerThan(work: Tracked<unknown>): Promise<Choice> {
    const { inbox, orders } = this.#parts;
    while (!work.isDone()) {
      const seen = inbox.changes;
      const choice = await orders.next(this.live);
      if (choice.kind !== "none") return choice;
      await Promise.race([work.result, inbox.changed(seen)]);
    }
    return { kind: "none" };
  }

  /** @param report tells of the swap; errors are watched for from before it */
  async #probation(order: Order, before: Live, appFirst: Promise<void>, report: () => Promise<void>): Promise<Choice> {
    const { floor, health, probationMs, signal, recordNow, onState, onTrouble } = this.#parts;
    const over = new AbortController();
    const isOver = AbortSignal.any([signal, over.signal]);
    const ended = track(watchProbation({
      health,
      probationMs,
      signal: isOver,
      onDying: (reason) => {
        try {
          floor.addRevertedNow(order.assign.release, reason);
          recordNow(before);
        } catch (problem) {
          onTrouble("floor", problem);
        }
      },
    }));
    // It waits for disks; a newer order does not.
    const reported = report();
    this.#reported = reported;
    const wayBack = appFirst.then(() => fetchOverlay(this.#parts.sources, before.overlay.release, new Pace(), isOver));
    let choice = await this.#newerThan(ended);
    while (choice.kind === "keep") {
      onState(this.state);
      choice = await this.#newerThan(ended);
    }
    if (choice.kind === "follow") {
      over.abort();
      return choice;
    }
    const end = await ended.result;
    if (end.kind === "failed") {
      await reported;
      await this.#revert(order, before, wayBack, end.reason);
    } else if (!signal.aborted) this.#machine.on("settled");
    over.abort();
    // Nor does it wait for old blobs to be removed.
    this.#parts.pruneSoon(new Set(this.#live.blobs));
    return choice;
  }

  /** An ordinary swap to what was live before. */
  async #revert(order: Order, before: Live, wayBack: Promise<FetchResult>, reason: string): Promise<void> {
    const { floor, runtime, onOutcome, onTrouble } = this.#parts;
    this.#machine.on("failed");
    const way = await firstOf(wayBack, before.overlay);
    runtime.giveUpOld();
    const staged = await runtime.stage(way?.overlay ?? before.overlay);
    const commit = staged.kind === "staged" ? runtime.commit(staged.staged, true) : staged;
    if (commit.kind !== "committed") {
      this.#machine.on("failed");
      onOutcome(order.assign.counter, {
        kind: "refused",
        release: before.overlay.release,
        code: commit.code,
        reason: `Errors followed the swap (${reason}), and the way back failed: ${commit.reason}`,
        unit: commit.unit,
      });
      return;
    }
    await floor.addReverted(order.assign.release, reason).catch((problem: unknown) => onTrouble("floor", problem));
    await this.#become(way === null ? { ...before, generation: commit.generation } : { ...way, generation: commit.generation });
    this.#machine.on("reverted");
    onOutcome(order.assign.counter, { kind: "reverted", release: order.assign.release, generation: commit.generation, code: "SWAP_REVERTED", reason });
  }
}

/** The freshly planned way back, which also reaches what the failed release touched; null if it does not come in time. */
async function firstOf(wayBack: Promise<FetchResult>, before: Overlay): Promise<Fetched | null> {
  const result = await Promise.race([wayBack, wait(wayBackWaitMs)]);
  return result?.kind === "fetched" && result.overlay.release === before.release ? result : null;
}

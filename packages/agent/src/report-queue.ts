import type { AgentIdentity, Registry, ReleaseId, Report, SwapOutcome } from "@midflight/protocol";
import { turn } from "./turn.ts";
import { BackOff, wait } from "./wait.ts";

const maxQueued = 200;
const maxBatch = 50;

export interface ReportQueueOptions {
  readonly registry: Pick<Registry, "report">;
  readonly identity: AgentIdentity;
  readonly channel: string;
  readonly boot: ReleaseId | null;
  readonly signal: AbortSignal;
  readonly onTrouble: (where: string, problem: unknown) => void;
}

/** Sends reports in order and in batches, again and again until they have arrived. Beyond its bound the oldest go. */
export class ReportQueue {
  readonly #options: ReportQueueOptions;
  readonly #queue: Report[] = [];
  #count = 0;
  #isSending = false;

  constructor(options: ReportQueueOptions) {
    this.#options = options;
  }

  add(counter: number, outcome: SwapOutcome): void {
    const { identity, channel, boot } = this.#options;
    this.#queue.push({ id: `${identity.agent}:${this.#count++}`, channel, counter, from: identity, boot, outcome, at: new Date().toISOString() });
    if (this.#queue.length > maxQueued) this.#queue.shift();
    if (!this.#isSending) void this.#send();
  }

  async #send(): Promise<void> {
    const { registry, signal, onTrouble } = this.#options;
    const backOff = new BackOff(200, 10_000);
    this.#isSending = true;
    // A report is made of what has just been read back, and that took its time.
    await turn.next();
    while (this.#queue.length > 0 && !signal.aborted) {
      const batch = this.#queue.slice(0, maxBatch);
      try {
        await registry.report(batch);
        // The bound may have pushed some of the batch out in the meantime.
        while (this.#queue.length > 0 && batch.includes(this.#queue[0]!)) this.#queue.shift();
        backOff.reset();
      } catch (problem) {
        onTrouble("report", problem);
        await wait(backOff.next(), signal);
      }
    }
    this.#isSending = false;
  }
}

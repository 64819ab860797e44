import type { LiveSystem, PublishSteps } from "../system/start-live-system.ts";
import { median, round } from "../statistics.ts";

/** What was planned later, at a quiet moment, is stored and appended in the same way. */
function isOfPublish({ call, at }: { readonly call: string; readonly at: number }, { collectedAt }: PublishSteps): boolean {
  return (call === "putBlobs" || call === "append") && at >= (collectedAt ?? 0);
}

/** Where the time between the last write and the first new answer went, in ms from the last write; each the median over all rounds. */
export class Steps {
  readonly #ends = new Map<string, number[]>();

  /** `wroteAt`: epoch ms. */
  add(wroteAt: number, steps: PublishSteps, system: LiveSystem, answeredMs: number): void {
    const put = (name: string, at: number): void => {
      this.#ends.set(name, [...(this.#ends.get(name) ?? []), at - wroteAt]);
    };
    if (steps.batchAt !== undefined) put("1 batch read", steps.batchAt);
    if (steps.collectedAt !== undefined) put("2 collected", steps.collectedAt);
    for (const { call, at, tookMs } of (steps.calls ?? []).filter((one) => isOfPublish(one, steps))) {
      put(call === "append" ? "4 append sent" : "3 blobs sent", at);
      put(call === "append" ? "7 append answered" : "3 blobs stored", at + tookMs);
    }
    const states = system.agentStates().filter(({ at }) => at > wroteAt);
    const entered = (state: string): number => states.find((one) => one.state === state)?.at ?? Number.NaN;
    put("5 agent fetches", entered("fetching"));
    put("6 agent stages", entered("staging"));
    put("8 agent swaps", entered("swapping"));
    put("9 agent swapped", entered("probation"));
    put("answered", wroteAt + answeredMs);
  }

  medians(): Readonly<Record<string, number>> {
    return Object.fromEntries([...this.#ends].sort(([a], [b]) => (a < b ? -1 : 1)).map(([name, ends]) => [name, round(median(ends), 2)]));
  }
}

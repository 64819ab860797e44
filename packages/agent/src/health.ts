import { subscribe, unsubscribe } from "node:diagnostics_channel";

/** Answers of the app's HTTP servers, and how many of them were 5xx. */
export interface AnswerCount {
  readonly answers: number;
  readonly failures: number;
}

const finished = "http.server.response.finish";
const keptSlots = 12;

/**
 * Counts what the app's own HTTP servers answer, by Node's diagnostics channel: nothing is patched, nothing is kept of
 * a request but its status class. The counts of the last `keptSlots` ticks make up the "before" of a swap.
 */
export class Health {
  readonly #slots: { answers: number; failures: number }[] = [{ answers: 0, failures: 0 }];
  #current = this.#slots[0]!;
  /** Called at each failure, while somebody wants to know. */
  onFailure: (() => void) | null = null;
  readonly #count = (message: unknown): void => {
    this.#current.answers++;
    if (!isFailure(message)) return;
    this.#current.failures++;
    this.onFailure?.();
  };

  constructor() {
    subscribe(finished, this.#count);
  }

  /** Begins a new slot; call it in even intervals. */
  tick(): void {
    if (this.#current.answers === 0 && this.#slots.length === 1) return;
    this.#current = { answers: 0, failures: 0 };
    this.#slots.push(this.#current);
    if (this.#slots.length > keptSlots) this.#slots.shift();
  }

  /** Counts of the last minute. */
  recent(): AnswerCount {
    let answers = 0;
    let failures = 0;
    for (const slot of this.#slots) {
      answers += slot.answers;
      failures += slot.failures;
    }
    return { answers, failures };
  }

  /** Starts anew, so that what follows can be told from what was before. */
  restart(): AnswerCount {
    const before = this.recent();
    this.#current = { answers: 0, failures: 0 };
    this.#slots.splice(0, this.#slots.length, this.#current);
    return before;
  }

  stop(): void {
    unsubscribe(finished, this.#count);
  }
}

function isFailure(message: unknown): boolean {
  const response = (message as { readonly response?: { readonly statusCode?: number } } | null)?.response;
  return (response?.statusCode ?? 0) >= 500;
}

/** Fewer failures than this prove nothing. */
export const leastFailures = 5;

/** True if so many more answers fail than before that the swap must be the cause. */
export function isWorse(before: AnswerCount, now: AnswerCount): boolean {
  if (now.failures < leastFailures) return false;
  const ratioBefore = before.answers === 0 ? 0 : before.failures / before.answers;
  return now.failures / now.answers > ratioBefore * 2 + 0.1;
}

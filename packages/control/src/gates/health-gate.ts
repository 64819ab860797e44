import { setTimeout as delay } from "node:timers/promises";
import { ask } from "./ask.ts";
import type { Judged } from "./request-gates.ts";

export interface HealthOptions {
  readonly timeoutMs?: number;
  readonly betweenMs?: number;
}

const tries = 3;
const maxBytes = 64 << 10;

/**
 * Asks a URL whether all is well: 2xx says so. Any other answer, three times in a row, says that it is not; silence says nothing. One
 * good answer is enough: a single bad one may be chance.
 */
export async function judgeByHealth(url: string, { timeoutMs = 5000, betweenMs = 500 }: HealthOptions = {}): Promise<Judged> {
  const judged = (kind: Judged["kind"], because: string, value: number | null, samples: number): Judged => ({ kind, because, finding: { metric: "health", value, limit: 299, samples, on: url } });
  const statuses: number[] = [];
  let silent = "";
  for (let round = 0; round < tries; round++) {
    if (round > 0) await delay(betweenMs);
    const asked = await ask(url, { timeoutMs, maxBytes });
    if (asked.kind === "silent") silent = asked.because;
    else if (asked.status >= 200 && asked.status < 300) return judged("ok", `health: ${url} answered ${asked.status}`, asked.status, statuses.length + 1);
    else statuses.push(asked.status);
  }
  const last = statuses.at(-1) ?? null;
  return silent === ""
    ? judged("failed", `health: ${url} answered ${statuses.join(", ")}`, last, statuses.length)
    : judged("inconclusive", `health: ${url} gave no answer: ${silent}`, last, statuses.length);
}

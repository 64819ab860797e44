/** A timer may fire this much later than asked for, even on an idle machine. */
const TIMER_SLACK_MS = 2;

/**
 * Waits until `performance.now()` reaches `dueMs` or a signal aborts. Without `spin` it may wake up to a millisecond late;
 * with it, the last two milliseconds go by in turns of the event loop, which costs CPU and keeps time.
 */
export async function untilDue(dueMs: number, spin: boolean, signals: readonly AbortSignal[]): Promise<void> {
  const restMs = dueMs - performance.now();
  if (!spin) return await nap(Math.max(restMs, 0), signals);
  if (restMs > TIMER_SLACK_MS) await nap(restMs - TIMER_SLACK_MS, signals);
  while (performance.now() < dueMs && !signals.some((signal) => signal.aborted)) await turn();
}

function nap(ms: number, signals: readonly AbortSignal[]): Promise<void> {
  return new Promise((resolve) => {
    const wake = (): void => {
      clearTimeout(timer);
      for (const signal of signals) signal.removeEventListener("abort", wake);
      resolve();
    };
    const timer = setTimeout(wake, ms);
    for (const signal of signals) signal.addEventListener("abort", wake);
  });
}

function turn(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve));
}

import { isWorse, type Health } from "./health.ts";

export type ProbationEnd = { readonly kind: "settled" } | { readonly kind: "failed"; readonly reason: string };

export interface ProbationOptions {
  readonly health: Health;
  readonly probationMs: number;
  /** Ends the watch early, as settled. */
  readonly signal: AbortSignal;
  /** Called when an error is about to end the process: the last moment to write anything down. Must not throw. */
  readonly onDying: (reason: string) => void;
}

/**
 * Watches the app after a swap. Errors are seen by `uncaughtExceptionMonitor`, which changes nothing of what Node does
 * with them (a listener for `unhandledRejection` would), and which sees unhandled rejections too, by Node's default.
 */
export function watchProbation({ health, probationMs, signal, onDying }: ProbationOptions): Promise<ProbationEnd> {
  return new Promise((resolve) => {
    const before = health.restart();
    const end = (result: ProbationEnd): void => {
      clearTimeout(timer);
      process.off("uncaughtExceptionMonitor", onError);
      signal.removeEventListener("abort", onAbort);
      health.onFailure = null;
      resolve(result);
    };
    const onAbort = (): void => end({ kind: "settled" });
    const onError = (problem: unknown, origin: string): void => {
      const reason = `${origin}: ${describe(problem)}`;
      if (isLethal()) onDying(reason);
      end({ kind: "failed", reason });
    };
    const timer = setTimeout(onAbort, probationMs).unref();
    health.onFailure = () => {
      const now = health.recent();
      if (isWorse(before, now)) end({ kind: "failed", reason: `${now.failures} of ${now.answers} answers were 5xx since the swap, ${before.failures} of ${before.answers} before.` });
    };
    process.on("uncaughtExceptionMonitor", onError);
    signal.addEventListener("abort", onAbort);
    if (signal.aborted) onAbort();
  });
}

function isLethal(): boolean {
  return process.listenerCount("uncaughtException") === 0 && !process.hasUncaughtExceptionCaptureCallback();
}

function describe(problem: unknown): string {
  try {
    const text = problem instanceof Error ? `${problem.name}: ${problem.message}` : String(problem);
    return text.slice(0, 500);
  } catch {
    return "an error without a description";
  }
}

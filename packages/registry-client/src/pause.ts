/** Resolves after a while, or at once when the signal is aborted. Never rejects. */
export function pause(ms: number, options: { readonly signal: AbortSignal; readonly keepsProcessAlive: boolean }): Promise<void> {
  const { signal, keepsProcessAlive } = options;
  return new Promise((resolve) => {
    if (signal.aborted) return resolve();
    const done = (): void => {
      clearTimeout(timer);
      signal.removeEventListener("abort", done);
      resolve();
    };
    const timer = setTimeout(done, ms);
    if (!keepsProcessAlive) timer.unref();
    signal.addEventListener("abort", done);
  });
}

const firstMs = 100;
const longestMs = 10_000;

/** How long to wait before the nth attempt (0: the first) in a row: doubles up to 10 s, and half of it is chance, so that a fleet does not come back at once. */
export function backOffMs(attempt: number): number {
  const full = Math.min(longestMs, firstMs * 2 ** Math.min(attempt, 20));
  return full / 2 + (Math.random() * full) / 2;
}

import { setTimeout as delay } from "node:timers/promises";
import { isMidflightError } from "@midflight/protocol";

/**
 * Runs a call to a registry again while it cannot be reached, for at most `retryMs`. Every call of a publisher may be
 * repeated: blobs are named by content, and the same append twice is one.
 */
export async function withRetry<T>(retryMs: number, call: () => Promise<T>): Promise<T> {
  const deadline = performance.now() + retryMs;
  for (let pauseMs = 50; ; pauseMs = Math.min(pauseMs * 2, 1_000)) {
    try {
      return await call();
    } catch (error) {
      const isPassing = isMidflightError(error) && error.code === "REGISTRY_UNREACHABLE";
      if (!isPassing || performance.now() + pauseMs > deadline) throw error;
      await delay(pauseMs * (0.5 + Math.random()));
    }
  }
}

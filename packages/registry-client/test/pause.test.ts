import assert from "node:assert/strict";
import { test } from "node:test";
import { backOffMs, pause } from "../src/pause.ts";

test("the back-off doubles up to ten seconds, and half of it is chance", () => {
  for (const [attempt, full] of [[0, 100], [1, 200], [5, 3_200], [7, 10_000], [1_000, 10_000]] as const) {
    const waits = Array.from({ length: 200 }, () => backOffMs(attempt));
    for (const ms of waits) assert.ok(ms >= full / 2 && ms <= full, `${ms} for attempt ${attempt}`);
    assert.ok(new Set(waits).size > 100);
  }
});

test("a pause ends at once when it is aborted, before or while it lasts", { timeout: 60_000 }, async () => {
  const early = AbortSignal.abort();
  await pause(60_000, { signal: early, keepsProcessAlive: true });
  const later = new AbortController();
  const paused = pause(60_000, { signal: later.signal, keepsProcessAlive: true });
  later.abort();
  await paused;
});

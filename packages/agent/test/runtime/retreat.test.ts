import assert from "node:assert/strict";
import { test } from "node:test";
import { setTimeout as wait } from "node:timers/promises";
import { Generations } from "../../src/runtime/generations.ts";

test("a swap that was taken back does not end the old generation of the next one before its time", async () => {
  const lingerMs = 5;
  const generations = new Generations({ pinMs: 10_000, lingerMs, isEndless: () => true });
  generations.open({}); // an event stream: moved on at once, so that the old generation is empty and about to end
  generations.advance(() => undefined);
  generations.retreat();
  const request = generations.open();
  generations.advance(() => undefined);
  await wait(lingerMs * 4);
  assert.equal(generations.run(request, () => generations.isOld()), true);
});

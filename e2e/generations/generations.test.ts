import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { nodeBinary } from "../../scripts/node-versions.mjs";
import { runGenerations } from "./run-generations.ts";

/** `npm run bench -- generations` makes a thousand, on each Node. */
const updates = 150;
/** What a process may keep of one update while its own code warms up. It was 30 kB while it kept what it had compiled. */
const keptBytesPerUpdate = 20_000;

describe("many generations of one process", () => {
  test(`${updates} updates of every kind, with releases skipped, back and forward: each answer, each state and each digest is what a cold start gives, and memory is bounded`, async (t) => {
    const { updates: made, checks, swaps, heapBytes } = await runGenerations({ node: nodeBinary(24), updates, checkEvery: 50, weighEvery: 50 });
    t.diagnostic(`${swaps} swaps; heap ${[...heapBytes].map(([n, bytes]) => `${(bytes / 1e6).toFixed(1)} MB after ${n}`).join(", ")}`);
    assert.equal(checks, 3);
    for (const kind of ["deploy", "skip", "back", "forward"]) assert.ok(made.some((update) => update.kind === kind), kind);
    const [first, last] = [heapBytes.get(50), heapBytes.get(updates)] as [number, number];
    assert.ok((last - first) / (updates - 50) < keptBytesPerUpdate, `${last - first} bytes more after ${updates - 50} updates more`);
  });
});

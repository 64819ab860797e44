import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { describeLoad, guardAgainstLeaks } from "@midflight/testkit";
import { nodeMajors } from "../scripts/node-versions.mjs";
import { runLive } from "./live/run-live.ts";

describe("an application from the npm registry under load", () => {
  guardAgainstLeaks();

  for (const node of nodeMajors) {
    test(`keeps every request and every row over 10 swaps on Node ${node}`, async (t) => {
      // A request costs it up to 2 ms of a processor, and other tests run beside this one. `npm run bench -- live` sends 50,000.
      const { faults, load, swaps } = await runLive({ app: "json-server", node, requests: 2500, swaps: 10, ratePerSecond: 120 });
      t.diagnostic(describeLoad(load));
      assert.deepEqual(faults, []);
      assert.ok(load.completed >= 2500);
      assert.equal(swaps.patch + swaps.redefine + swaps.rollback, 10);
      assert.ok(swaps.redefine >= 2 && swaps.rollback === 2);
    });
  }
});

import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { describeLoad, guardAgainstLeaks } from "@midflight/testkit";
import { nodeMajors } from "../scripts/node-versions.mjs";
import { runLive } from "./live/run-live.ts";

describe("an application from the npm registry under load", () => {
  guardAgainstLeaks();

  for (const node of nodeMajors) {
    test(`keeps every request and every row over 10 swaps on Node ${node}`, async (t) => {
      const { faults, load, swaps } = await runLive({ app: "json-server", node, requests: 5000, swaps: 10 });
      t.diagnostic(describeLoad(load));
      assert.deepEqual(faults, []);
      assert.ok(load.completed >= 5000);
      assert.equal(swaps.patch + swaps.redefine + swaps.rollback, 10);
      assert.ok(swaps.redefine >= 2 && swaps.rollback === 2);
    });
  }
});

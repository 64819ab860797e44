import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { describeLoad, guardAgainstLeaks } from "@midflight/testkit";
import { nodeMajors } from "../scripts/node-versions.mjs";
import { runLive, runLiveApp } from "./live/run-live.ts";
import { shopApp } from "./live/shop-app.ts";

describe("the shop under load", () => {
  guardAgainstLeaks();

  for (const node of nodeMajors) {
    test(`keeps every request, cart, order, stream and timer over 10 swaps on Node ${node}`, async (t) => {
      const { faults, load, swaps } = await runLive({ app: "shop", node, requests: 8000, swaps: 10 });
      t.diagnostic(describeLoad(load));
      assert.deepEqual(faults, []);
      assert.ok(load.completed >= 8000);
      assert.deepEqual(swaps, { patch: 5, redefine: 3, rollback: 2 });
    });
  }

  test("is found out when it serves another edition than it reports", async () => {
    const app = shopApp(false);
    const liar = { name: "X", write: app.editions[1]!.write };
    const { faults } = await runLiveApp({ ...app, editions: [app.editions[0]!, liar] }, { app: "shop", node: 24, requests: 200, swaps: 1 });
    assert.ok(faults.some((fault) => /was answered by B, while (A\+)?X was live/.test(fault)), faults.join("\n"));
  });
});

import assert from "node:assert/strict";
import path from "node:path";
import { describe, test } from "node:test";
import { guardAgainstLeaks, repositoryRoot, startedTicks, startSystem } from "@midflight/testkit";
import { makeEdit, euroAfterAmount } from "../examples/shop/edits.ts";

describe("the whole way", () => {
  guardAgainstLeaks();

  test("a saved file answers the next request, in the process that was there before", async () => {
    const system = await startSystem({
      from: path.join(repositoryRoot, "examples/shop"),
      code: ["src"],
      run: "node src/server.ts",
      ready: /shop open on (\S+)/,
    });
    try {
      const first = await system.publish();
      assert.equal(first.number, 1);
      const app = await system.start();
      await system.beat("the agent follows", (beat) => beat.pid === app.pid && beat.state === "following" && beat.live === first.release);
      assert.equal(await priceOf(app.url, "assam"), "€7.11");

      await makeEdit(system.projectDir, euroAfterAmount);
      const second = await system.publish();
      assert.deepEqual([second.number, second.rung], [2, "patch"]);
      const report = await system.swapped(second);
      assert.equal(report.from.pid, app.pid);
      assert.equal(await priceOf(app.url, "assam"), "7.11 €");
      assert.equal(await pidOf(app.url), app.pid);
      assert.deepEqual([app.stdout.lines.length, app.stderr.lines], [1, []]);

      const back = await system.rollback();
      await system.swapped(back);
      assert.equal(await priceOf(app.url, "assam"), "€7.11");
      assert.equal(app.startedTicks, startedTicks(app.pid));
      assert.deepEqual(await app.stop(), { code: 0, signal: null });
    } finally {
      await system.close();
    }
  });
});

async function priceOf(url: URL, sku: string): Promise<unknown> {
  return ((await (await fetch(new URL(`/api/products/${sku}`, url), { headers: { connection: "close" } })).json()) as { price: string }).price;
}

async function pidOf(url: URL): Promise<unknown> {
  return ((await (await fetch(new URL("/api/about", url), { headers: { connection: "close" } })).json()) as { pid: number }).pid;
}

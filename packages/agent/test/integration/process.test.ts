import assert from "node:assert/strict";
import { after, before, describe, test } from "node:test";
import { guardAgainstLeaks } from "@midflight/testkit";
import { ask, portOf, ServedApp, shop } from "../support/served-app.ts";

describe("a real process", () => {
  let app: ServedApp;
  before(async () => {
    app = await ServedApp.open();
  });
  after(() => app.close());
  guardAgainstLeaks();

  for (const node of [20, 22, 24, 26]) {
    for (const format of ["esm", "cjs"] as const) {
      test(`swaps on Node ${node} (${format}) without a word, and comes up on the live release with the registry away`, async () => {
        const own = await ServedApp.open();
        try {
          const boot = own.release(shop(1, format), format);
          const next = own.release(shop(2, format), format);
          await own.deploy(boot, boot);
          const first = await own.start(boot, { node });
          const port = await portOf(first);
          assert.equal(await ask(port), "1");
          await own.deploy(boot, next);
          const report = await own.report((r) => r.outcome.kind !== "reverted" && r.counter === 2);
          assert.equal(report.outcome.kind, "swapped", JSON.stringify(report.outcome));
          assert.equal(await ask(port), "2");
          await own.beat((b) => b.live === next.published.id && b.state === "following" && b.pid === first.pid);
          assert.deepEqual(first.stdout.lines, [`port ${port}`]);
          assert.deepEqual(first.stderr.lines, []);
          await first.kill();
          await own.server.close();
          const second = await own.start(boot, { node });
          assert.equal(await ask(await portOf(second)), "2");
          await second.kill();
        } finally {
          await own.close();
        }
      });
    }
  }
});

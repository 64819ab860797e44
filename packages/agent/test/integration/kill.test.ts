import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { setTimeout as delay } from "node:timers/promises";
import { serveRegistry } from "@midflight/registry";
import { guardAgainstLeaks } from "@midflight/testkit";
import { ask, portOf, ServedApp, shop } from "../support/served-app.ts";

describe("killed at any moment of a deploy, a process", () => {
  guardAgainstLeaks();

  test("comes up on the live release; with the registry away, on that or the one before, never on anything else", async () => {
    const app = await ServedApp.open();
    try {
      const boot = app.release(shop(0));
      await app.deploy(boot, boot);
      const port = Number(new URL(app.server.url).port);
      for (let round = 1; round <= 6; round++) {
        const running = await app.start(boot);
        await portOf(running);
        // One that arrives proves that the process follows at once.
        const first = 2 * round - 1;
        await app.deploy(boot, app.release(shop(first)));
        await app.report((r) => r.from.pid === running.pid && r.outcome.kind === "swapped");
        const second = 2 * round;
        await app.deploy(boot, app.release(shop(second)));
        // Spread over the steps from the hint to the end of probation.
        await delay((round * 7) % 25);
        await running.kill();

        await app.server.close();
        const alone = await app.start(boot);
        const answer = Number(await ask(await portOf(alone)));
        assert(answer === first || answer === second, `it answers ${answer} in round ${round}`);
        await alone.kill();

        app.server = await serveRegistry(app.registry, { port, tokens: { secret: ["agent"] } });
        const back = await app.start(boot);
        assert.equal(Number(await ask(await portOf(back))), second);
        await back.kill();
      }
    } finally {
      await app.close();
    }
  });
});

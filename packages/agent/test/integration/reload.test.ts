import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { guardAgainstLeaks } from "@midflight/testkit";
import { ask, portOf, ServedApp } from "../support/served-app.ts";

/** Counts its requests, and says what its top level set up. */
const counter = (every: number): Record<"count.js" | "app.js", string> => ({
  "count.js": `let count = import.meta.hot?.data.count ?? 0;
const timer = setInterval(() => undefined, ${every});
export const say = () => ++count + " " + timer._repeat;
import.meta.hot?.dispose((data) => {
  clearInterval(timer);
  data.count = count;
});
import.meta.hot?.accept();
`,
  "app.js": `import { createServer } from "node:http";
import { say } from "./count.js";
const server = createServer((request, response) => response.end(say()));
server.listen(0, "127.0.0.1", () => console.log("port " + server.address().port));
`,
});

describe("a real process whose module declares hooks", () => {
  guardAgainstLeaks();

  for (const node of [20, 22, 24, 26]) {
    test(`is reloaded and taken back on Node ${node}, and comes up on what was live, with the registry and without`, async () => {
      const own = await ServedApp.open();
      try {
        const [boot, next] = [own.release(counter(50_000)), own.release(counter(60_000))];
        await own.deploy(boot, boot);
        const first = await own.start(boot, { node });
        const port = await portOf(first);
        assert.equal(await ask(port), "1 50000");
        await own.deploy(boot, next);
        const report = await own.report((r) => r.counter === 2 && r.outcome.kind !== "reverted");
        assert.equal(report.outcome.kind, "swapped", JSON.stringify(report.outcome));
        assert.equal(await ask(port), "2 60000");
        await own.deploy(boot, boot);
        await own.beat((b) => b.live === boot.published.id && b.state === "following" && b.counter === 3);
        assert.equal(await ask(port), "3 50000");
        await own.deploy(boot, next);
        await own.beat((b) => b.live === next.published.id && b.state === "following" && b.counter === 4);
        assert.equal(await ask(port), "4 60000");
        await first.kill();

        const second = await own.start(boot, { node });
        const again = await portOf(second);
        await own.beat((b) => b.live === next.published.id && b.pid === second.pid && b.state === "following");
        assert.equal(await ask(again), "1 60000");
        await second.kill();

        await own.server.close();
        const third = await own.start(boot, { node, env: { MIDFLIGHT_BOOT_WAIT_MS: "100" } });
        const alone = await portOf(third);
        // Nothing tells of it while the registry is away: it is asked until it answers with what was live.
        let answer = "";
        while (!answer.endsWith(" 60000")) answer = await ask(alone);
        assert.deepEqual(third.stderr.lines, []);
        await third.kill();
      } finally {
        await own.close();
      }
    });
  }
});

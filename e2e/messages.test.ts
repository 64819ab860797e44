import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { type AppProcess, guardAgainstLeaks, startSystem } from "@midflight/testkit";
import { manyInstances, version } from "./instances/apps.ts";
import { spoiling, unreliable } from "./instances/unreliable-registry.ts";

const base = { app: "many", code: ["src"], run: "node src/server.js", ready: /^port (\d+)$/, files: manyInstances(1) };
const versionsOf = async ({ url }: AppProcess): Promise<number[]> => ((await (await fetch(url, { headers: { connection: "close" } })).json()) as { versions: number[] }).versions;

describe("between registry and agents", () => {
  guardAgainstLeaks();

  for (const seed of [1, 2, 3]) {
    test(`messages that are lost, repeated, reordered or told again from the start never apply twice (${seed})`, async () => {
      const system = await startSystem({ ...base, serve: (registry) => unreliable(registry, seed) });
      try {
        await system.publish();
        const targets = ["web-1", "web-2"];
        const apps = await Promise.all(targets.map((target) => system.start({ target, probationMs: 50 })));
        for (const app of apps) await system.beat("it follows", (beat) => beat.pid === app.pid && beat.state === "following");
        let n = 1;
        let before = 1;
        for (let deploy = 1; deploy <= 12; deploy++) {
          const isBack = deploy % 5 === 0;
          [n, before] = isBack ? [before, n] : [deploy + 1, n];
          if (!isBack) system.write(version(n));
          const published = isBack ? await system.rollback() : await system.publish();
          // In between they come faster than they are carried out: only the newest counts.
          if (deploy % 3 !== 0) continue;
          for (const target of targets) await system.swapped(published, target);
          for (const app of apps) assert.deepEqual(await versionsOf(app), Array.from({ length: 6 }, () => n), `after deploy ${deploy}`);
        }
        for (const [at, app] of apps.entries()) {
          const own = (await system.registry.reports({ channel: system.channel })).filter((report) => report.from.pid === app.pid).toReversed();
          assert.deepEqual(own.filter(({ outcome }) => outcome.kind !== "swapped"), [], targets[at]);
          const counters = own.map(({ counter }) => counter);
          assert.deepEqual(counters, [...new Set(counters)].sort((a, b) => a - b), "each assign at most once, in their order");
          const generations = own.map(({ outcome }) => (outcome.kind === "swapped" ? outcome.generation : NaN));
          assert.deepEqual(generations, generations.map((_, i) => i + 1), "each report is of one swap");
          assert.deepEqual(app.stderr.lines, []);
          await app.kill();
        }
      } finally {
        await system.close();
      }
    });
  }

  test("bytes that are not what was signed are never run: the swap is refused by their digest, and the next one works", async () => {
    let stop = (): void => {};
    const system = await startSystem({
      ...base,
      serve: (registry) => {
        const spoiled = spoiling(registry);
        stop = () => spoiled.stop();
        return spoiled.registry;
      },
    });
    try {
      await system.publish();
      const app = await system.start();
      await system.beat("it follows", (beat) => beat.pid === app.pid && beat.state === "following");
      system.write(version(2));
      const { counter } = await system.publish();
      const { outcome } = await system.report("its report", (report) => report.counter === counter);
      assert.deepEqual([outcome.kind, outcome.kind === "refused" && outcome.code], ["refused", "ARTIFACT_DIGEST_MISMATCH"]);
      assert.deepEqual(await versionsOf(app), [1, 1, 1, 1, 1, 1]);
      stop();
      system.write(version(3));
      await system.swapped(await system.publish());
      assert.deepEqual(await versionsOf(app), [3, 3, 3, 3, 3, 3]);
      await app.kill();
    } finally {
      await system.close();
    }
  });
});

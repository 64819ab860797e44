import assert from "node:assert/strict";
import { mkdtempSync, rmSync } from "node:fs";
import os from "node:os";
import path from "node:path";
import { after, describe, test } from "node:test";
import { setTimeout as delay } from "node:timers/promises";
import { createRandom } from "@midflight/testkit";
import { ended } from "./kill/kill-rig.ts";
import { RolloutDesk } from "./kill/rollout-desk.ts";

/** How often control is killed. */
const randomKills = Number(process.env["MIDFLIGHT_KILL_ROUNDS"] ?? 1) * 10;

describe("kill -9 of control while a rollout goes on", () => {
  const directory = mkdtempSync(path.join(os.tmpdir(), "midflight-kill-rollout-"));
  after(() => rmSync(directory, { recursive: true, force: true }));

  test(`at ${randomKills} random moments: the fleet ends on one release each time`, async (t) => {
    const seed = Number(process.env["MIDFLIGHT_KILL_SEED"] ?? Date.now() % 1_000_000);
    t.diagnostic(`seed ${seed}`);
    const random = createRandom(seed);
    const desk = new RolloutDesk('{ steps: ["1", "67%", "100%"], bake: "2s" }', path.join(directory, "orders"));
    t.after(() => desk.close());
    await desk.start();
    const ends = new Map<string, number>();
    let steered = 0;
    for (let kill = 0; kill < randomKills; kill++) {
      desk.edit();
      const deploying = await desk.project.start("deploy", "--json");
      const before = desk.record()?.number;
      // Mostly while it goes on, at times while it begins.
      if (random() < 0.8) for (; desk.record()?.number === before && deploying.isAlive; ) await delay(10);
      // Now and then a person is at work at the same moment.
      const verb = random() < 0.5 ? (["abort", "promote", "pause"] as const)[Math.floor(random() * 3)] : undefined;
      const steering = verb === undefined ? null : await desk.project.start(verb, "--json");
      await delay(random() * 5_000);
      await desk.up!.process.kill();
      await desk.start();
      await ended(deploying);
      if (steering !== null) await ended(steering);
      for (const where = `kill ${kill}, seed ${seed}`, deadline = performance.now() + 120_000; !desk.isOver(); await delay(20)) {
        assert.ok(performance.now() < deadline, `${where}: ${JSON.stringify(desk.record())}`);
        if (desk.record()?.phase !== "paused") continue;
        steered += 1;
        await desk.project.run("promote", "--json");
      }
      const status = await desk.untilOne(`kill ${kill}, seed ${seed}`);
      const [first] = status.services.flatMap((service) => service.members);
      const { says } = (await (await fetch(first!.url!, { headers: { connection: "close" } })).json()) as { says: string };
      await desk.expectSays(status, says, `kill ${kill}, seed ${seed}`);
      const record = desk.record();
      const end = record === null || record.number === before ? "never begun" : record.phase;
      ends.set(end, (ends.get(end) ?? 0) + 1);
    }
    t.diagnostic(`${JSON.stringify(Object.fromEntries(ends))}, ${steered} paused and promoted`);
  });
});

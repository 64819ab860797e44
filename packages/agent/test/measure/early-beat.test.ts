import assert from "node:assert/strict";
import { describe, mock, test } from "node:test";
import type { Beat } from "@midflight/protocol";
import { Meter } from "../../src/measure/meter.ts";
import { runAgent } from "../support/run-agent.ts";
import { until } from "../support/until.ts";
import { World } from "../support/world.ts";

describe("errors that pile up", () => {
  test("are told before the next beat is due, once a second at the most", async () => {
    const world = new World();
    const boot = world.release();
    await world.append(boot.entry, world.assign(boot));
    const beats: Beat[] = [];
    const registry = Object.assign(Object.create(world.registry) as typeof world.registry, { beat: async (beat: Beat) => void beats.push(beat) });
    const meter = new Meter();
    // No beat is ever due.
    mock.timers.enable({ apis: ["setInterval"] });
    const { stop, untilState } = await runAgent(world, boot, { registry, meter });
    try {
      await untilState("following");
      const errors = (): number => beats.at(-1)?.measured?.releases.at(-1)?.errors ?? 0;
      await until(async () => (beats.at(-1)?.measured === undefined ? undefined : true));
      const fail = (times: number): void => {
        for (let i = 0; i < times; i++) meter.close(meter.open()!, performance.now(), "failed");
      };
      const before = beats.length;
      fail(9);
      for (let turns = 0; turns < 20; turns++) await new Promise(setImmediate);
      assert.equal(beats.length, before);
      fail(1);
      await until(async () => (errors() === 10 ? true : undefined));
      const began = performance.now();
      for (let rounds = 0; performance.now() - began < 300; rounds++) {
        fail(10);
        await new Promise(setImmediate);
      }
      assert.ok(performance.now() - began >= 1000 || beats.length === before + 1, String(beats.length - before));
    } finally {
      mock.timers.reset();
      stop();
      world.close();
    }
  });
});

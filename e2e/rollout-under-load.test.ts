import assert from "node:assert/strict";
import { mkdtempSync, rmSync } from "node:fs";
import os from "node:os";
import path from "node:path";
import { after, describe, test, type TestContext } from "node:test";
import { setTimeout as delay } from "node:timers/promises";
import { describeLoad, startLoad, type LoadRun } from "@midflight/testkit";
import { type Member, RolloutDesk } from "./kill/rollout-desk.ts";

const ratePerSecond = 40;
const everything = '{ steps: ["1", "100%"], bake: "1h", maxRung: "replace" }';

describe("a rollout under load", () => {
  const directory = mkdtempSync(path.join(os.tmpdir(), "midflight-rollout-load-"));
  after(() => rmSync(directory, { recursive: true, force: true }));

  interface Watched {
    readonly target: string;
    readonly load: LoadRun;
    /** What it said, and when last; epoch ms. */
    readonly said: Map<string, number>;
  }

  /** Asks each process all the time; what is not said on time and in full has failed. */
  function watch(members: readonly Member[]): Watched[] {
    return members.map(({ target, url }) => {
      const said = new Map<string, number>();
      const load = startLoad({
        target: new URL(url!),
        ratePerSecond,
        timeoutMs: 10_000,
        maxLatenessMs: 10_000,
        connections: "mixed",
        plan: () => ({ path: "/" }),
        validate(response) {
          said.set((response.json() as { says: string }).says, Date.now());
          return null;
        },
      });
      return { target, load, said };
    });
  }

  async function open(t: TestContext): Promise<RolloutDesk> {
    const desk = new RolloutDesk(everything, path.join(directory, "orders"));
    t.after(() => desk.close());
    await desk.start();
    return desk;
  }

  async function untilPhase(desk: RolloutDesk, phase: string): Promise<void> {
    for (const deadline = performance.now() + 120_000; desk.record()?.phase !== phase; await delay(20)) {
      assert.ok(performance.now() < deadline, `${phase}: ${JSON.stringify(desk.record())}`);
    }
  }

  async function expectNoneFailed(t: TestContext, watched: readonly Watched[]): Promise<void> {
    for (const { target, load } of watched) {
      const report = await load.stop();
      t.diagnostic(`${target}: ${describeLoad(report)}`);
      assert.equal(report.failed, 0, JSON.stringify(report.firstFailures));
    }
  }

  for (const [rung, edit] of [
    ["patch", (desk: RolloutDesk) => desk.edit()],
    ["replace", (desk: RolloutDesk) => {
      desk.edit();
      desk.project.edit("src/server.js", "new Counter();\n", "new Counter();\ncounter.total = 1000;\n");
    }],
  ] as const) {
    test(`an abort fails no request, and only the wave ever ran the release (${rung})`, async (t) => {
      const desk = await open(t);
      const members = (await desk.status()).services.flatMap((service) => service.members);
      const watched = watch(members);
      edit(desk);
      const deploying = await desk.project.start("deploy", "--json");
      await untilPhase(desk, "baking");
      const wave = desk.record()!.wave;
      assert.equal(wave.length, 1);
      const inWave = watched.find(({ target }) => wave.includes(target))!;
      for (const deadline = performance.now() + 30_000; !inWave.said.has(desk.says); await delay(10)) assert.ok(performance.now() < deadline, "the wave says what is new");
      const aborted = await desk.project.run("abort", "--json");
      assert.equal(aborted.code, 0, aborted.stdout);
      assert.equal((await deploying.exited).code, 4);
      await untilPhase(desk, "rolled-back");
      const backAt = Date.now();
      for (const deadline = performance.now() + 30_000; (inWave.said.get("hello") ?? 0) < backAt; await delay(10)) assert.ok(performance.now() < deadline, "the wave says what is old again");
      t.diagnostic(`new code said its last word ${inWave.said.get(desk.says)! - Date.parse(await desk.lastAssignedAt())} ms after the roll-back was signed`);
      await expectNoneFailed(t, watched);
      for (const { target, said } of watched) assert.deepEqual([...said.keys()].sort(), wave.includes(target) ? ["hello", desk.says] : ["hello"], target);
      await desk.untilOne("aborted");
    });
  }

  test("what is paused stays in its wave under load, and a promotion fails no request", async (t) => {
    const desk = await open(t);
    const members = (await desk.status()).services.flatMap((service) => service.members);
    const watched = watch(members);
    desk.edit();
    const deploying = await desk.project.start("deploy", "--json");
    await untilPhase(desk, "baking");
    assert.equal((await desk.project.run("pause", "--json")).code, 0);
    await untilPhase(desk, "paused");
    const wave = desk.record()!.wave;
    const pausedAt = Date.now();
    // Everybody has answered since, and more than once.
    for (const deadline = performance.now() + 30_000; watched.some(({ said }) => Math.max(...said.values()) < pausedAt + 500); await delay(10)) assert.ok(performance.now() < deadline);
    for (const { target, said } of watched) assert.equal(said.has(desk.says), wave.includes(target), target);
    assert.equal((await desk.project.run("promote", "--json")).code, 0);
    assert.equal((await deploying.exited).code, 0);
    const doneAt = Date.now();
    for (const deadline = performance.now() + 30_000; watched.some(({ said }) => (said.get(desk.says) ?? 0) < doneAt); await delay(10)) assert.ok(performance.now() < deadline, "all say what is new");
    await expectNoneFailed(t, watched);
  });
});

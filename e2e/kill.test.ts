import assert from "node:assert/strict";
import { after, before, describe, test } from "node:test";
import type { ReleaseId } from "@midflight/protocol";
import { type AppProcess, describeLoad, type LoadRun, startApp, startedTicks, startLoad } from "@midflight/testkit";
import { ask, ended, KillRig, untilServes } from "./kill/kill-rig.ts";

/** The whole list of steps is gone through so many times. */
const rounds = Number(process.env["MIDFLIGHT_KILL_ROUNDS"] ?? 1);

describe("kill -9 at every step of a deploy", () => {
  let rig: KillRig;
  let boot: ReleaseId;
  /** Never killed, and under load from the first to the last kill. */
  let sibling: AppProcess;
  let load: LoadRun;
  let kills = 0;

  before(async () => {
    rig = await KillRig.open();
    rig.edit();
    await rig.publish();
    boot = (await rig.head()).release;
    sibling = await rig.startApp("web-2", boot);
    load = startLoad({
      target: sibling.url,
      ratePerSecond: 50,
      maxLatenessMs: 5000,
      plan: () => ({ path: "/" }),
      validate(response) {
        const { versions, pid } = response.json() as { versions: number[]; pid: number };
        if (new Set(versions).size !== 1) return `a mixture: ${versions.join(", ")}`;
        return pid === sibling.pid ? null : "another process";
      },
    });
  });
  after(async () => {
    await load?.stop();
    await sibling?.killGroup();
    await rig?.close();
  });
  // No guard against leaks: what is killed here is started again, and lives on from one test to the next.

  /** After a kill everything runs one release: the live one. A new sibling starts with it. */
  async function expectOneRelease(apps: readonly AppProcess[]): Promise<void> {
    for (const app of apps) await untilServes(app, rig.version);
    const { release } = await rig.head();
    const fresh = await rig.startApp("web-9", release);
    try {
      assert.equal((await ask(fresh)).versions[0], rig.version, "a new process starts with the live release");
    } finally {
      await fresh.killGroup();
    }
  }

  for (let round = 0; round < rounds; round++) {
    for (const { size, steps } of [
      { size: "small", steps: ["read before", "append before", "append after"] },
      { size: "large", steps: ["read before", "putBlobs before", "putBlobs after", "append before", "append after"] },
    ] as const) test(`the publisher: a ${size} release is in the log as a whole or not at all, and the next deploy completes it (${round})`, async () => {
      const killedAt: string[] = [];
      for (let dieAt = 0; ; dieAt++) {
        rig.edit(size);
        const logBefore = await rig.log();
        const dying = await rig.startPublish(dieAt);
        const { signal, code } = await ended(dying);
        const told = dying.stdout.lines.filter((line) => line.startsWith("step ")).map((line) => line.replace(/^step \d+ /, ""));
        const added = (await rig.log()).slice(logBefore.length);
        if (told.includes("append after")) assert.deepEqual(kindsOf(added), { release: 1, assign: 1 }, told.join(", "));
        else assert.deepEqual(added, [], told.join(", "));
        if (signal === null) {
          assert.equal(code, 0, dying.stderr.lines.join("\n"));
          break;
        }
        kills += 1;
        killedAt.push(told.at(-1) ?? "");
        assert.equal(await rig.publish(), added.length === 0 ? "published" : "unchanged", told.join(", "));
        await untilServes(sibling, rig.version);
      }
      for (const step of steps) assert.ok(killedAt.includes(step), killedAt.join(", "));
      await expectOneRelease([sibling]);
    });

    test(`the registry: a publisher that is under way gets through once it is back, and no process loses a request (${round})`, async () => {
      // What publishers ask, then what agents ask and tell.
      for (const step of ["read", "presence", "putBlobs", "append", "getBlobs", "report", "beat"]) {
        for (const moment of ["before", "after"]) {
          rig.edit(step.endsWith("Blobs") ? "large" : "small");
          const logBefore = await rig.log();
          rig.orderDeath(`${step} ${moment}`);
          const publishing = await rig.startPublish();
          assert.equal((await ended(rig.registry)).signal, "SIGKILL", `${step} ${moment}`);
          kills += 1;
          await rig.startRegistry();
          assert.equal((await ended(publishing)).code, 0, `killed ${moment} ${step}: ${publishing.stderr.lines.join("\n")}`);
          await rig.planWays();
          await untilServes(sibling, rig.version);
          const added = (await rig.log()).slice(logBefore.length);
          assert.deepEqual(kindsOf(added), { release: 1, assign: 1 }, `killed ${moment} ${step}`);
        }
      }
      await expectOneRelease([sibling]);
    });

    test(`the app: it comes up on the live release, from the directory it had and from the newest (${round})`, async () => {
      const events = await eventsOfOneSwap();
      assert.deepEqual(events.slice(0, 5), ["following", "fetching", "staging", "swapping", "probation"]);
      for (const from of ["boot", "live"] as const) {
        for (const [dieAt, event] of events.entries()) {
          // An order that came before the app was up is not told as events: this one dies on its way up.
          const dying = dieAt === 0 ? await dyingAtStart() : await rig.startApp("web-1", boot, dieAt);
          rig.edit();
          assert.equal(await rig.publish(), "published");
          if (dying !== null) assert.equal((await ended(dying)).signal, "SIGKILL", `${event}: ${dying.stdout.lines.join("\n")}`);
          kills += 1;
          const again = await rig.startApp("web-1", from === "boot" ? boot : (await rig.head()).release);
          try {
            assert.equal((await ask(again)).versions[0], rig.version, `its first answer, killed at ${event}`);
            await untilServes(sibling, rig.version);
            if (from === "boot") {
              // Digests that are read back tell the same of both, once both have swapped.
              rig.edit();
              await rig.publish();
              const { counter } = await rig.head();
              const [own, other] = await Promise.all([again, sibling].map((app) => app.waitForLine(new RegExp(`^agent \\d+ swapped ${counter} (\\S+ \\S+)$`))));
              assert.equal(own?.[1], other?.[1]);
            }
          } finally {
            await again.killGroup();
          }
        }
      }
      await expectOneRelease([sibling]);
    });
  }

  test("over all of it, the process beside them failed no request and is the one that was started", async (t) => {
    const report = await load.stop();
    t.diagnostic(`${kills} kills; ${describeLoad(report)}`);
    assert.equal(report.failed, 0, JSON.stringify(report.firstFailures));
    assert.ok(kills >= 40, `${kills} kills`);
    assert.equal(startedTicks(sibling.pid), sibling.startedTicks);
    assert.equal((await ask(sibling)).pid, sibling.pid);
    assert.deepEqual(sibling.stderr.lines, []);
    // No assign was obeyed twice, none out of order.
    const counters = sibling.stdout.lines.flatMap((line) => /^agent \d+ swapped (\d+) /.exec(line)?.[1] ?? []).map(Number);
    assert.deepEqual(counters, [...new Set(counters)].sort((a, b) => a - b));
    const { release } = await rig.head();
    const beats = await rig.beats();
    assert.ok(beats.some((beat) => beat.pid === sibling.pid && beat.live === release), JSON.stringify(beats));
  });

  /** What an agent says from its start to the end of one probation. */
  async function eventsOfOneSwap(): Promise<string[]> {
    const app = await rig.startApp("web-1", boot);
    await app.waitForLine(/^agent 0 following/);
    rig.edit();
    await rig.publish();
    await app.waitForLine(/^agent [1-9]\d* following/);
    const events = app.stdout.lines.flatMap((line) => /^agent \d+ (\w+)/.exec(line)?.[1] ?? []);
    await app.killGroup();
    return events;
  }

  async function dyingAtStart(): Promise<null> {
    await assert.rejects(startApp(rig.appStart("web-1", boot, 0)), /ended first \(SIGKILL\)/);
    return null;
  }
});

/** How many of each: a release and its assign always, transitions as many as there are boot releases. */
function kindsOf(entries: readonly { readonly kind: string }[]): Record<string, number> {
  const count: Record<string, number> = {};
  for (const { kind } of entries) if (kind !== "transition") count[kind] = (count[kind] ?? 0) + 1;
  return count;
}

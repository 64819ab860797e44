import assert from "node:assert/strict";
import { mkdtempSync, rmSync } from "node:fs";
import os from "node:os";
import path from "node:path";
import { after, describe, test } from "node:test";
import { dieAtEach, RolloutDesk } from "./kill/rollout-desk.ts";

describe("kill -9 of control at every phase of a rollout", () => {
  const directory = mkdtempSync(path.join(os.tmpdir(), "midflight-kill-rollout-"));
  const orders = path.join(directory, "orders");
  const desks: RolloutDesk[] = [];
  after(async () => {
    for (const desk of desks) await desk.close();
    rmSync(directory, { recursive: true, force: true });
  });

  async function open(rollout: string): Promise<RolloutDesk> {
    const desk = new RolloutDesk(rollout, orders);
    desks.push(desk);
    await desk.start();
    return desk;
  }

  test("on its way to all: what was deployed is live everywhere, and nobody had to deploy it again", async (t) => {
    const desk = await open('{ steps: ["1", "100%"], bake: "100ms" }');
    let [known, says] = [1, "hello"];
    const places = await dieAtEach(desk, orders, () => desk.edit(), async (status, where) => {
      const releases = await desk.releases();
      // Before the first wave is in the log nothing was begun.
      if (releases > known) says = desk.says;
      else assert.match(where, /commit done 1/);
      known = releases;
      if (status.rollout !== null) assert.equal(status.rollout.phase, "done", where);
      await desk.expectSays(status, says, where);
    });
    t.diagnostic(places.join(", "));
    for (const step of ["rolling 0", "baking 0", "widening 0", "rolling 1", "done 1"]) assert.ok(places.includes(`rename rollout.json ${step}`), `${step} in ${places.join(", ")}`);
    assert.ok(places.includes("commit widening 0"), places.join(", "));
  });

  test("on its way back: every process is on the release before, and it is the live one", async (t) => {
    // The new process needs longer to be ready than the wave may take.
    const desk = await open('{ steps: ["1", "100%"], bake: "1h", deadline: "1s", maxRung: "replace" }');
    const text = desk.project.read("src/server.js");
    let edits = 0;
    const slow = (): void => {
      edits += 1;
      desk.project.write("src/server.js", `await new Promise((resolve) => setTimeout(resolve, ${4_000 + edits}));\n${text}`);
    };
    const places = await dieAtEach(desk, orders, slow, async (status, where) => {
      assert.equal(status.live?.release, "r1", where);
      if (status.rollout !== null) assert.equal(status.rollout.phase, "rolled-back", where);
      await desk.expectSays(status, "hello", where);
    });
    t.diagnostic(places.join(", "));
    for (const step of ["rolling 0", "aborting 0", "returning 0", "rolled-back 0"]) assert.ok(places.includes(`rename rollout.json ${step}`), `${step} in ${places.join(", ")}`);
    assert.ok(places.includes("commit aborting 0"), places.join(", "));
  });
});

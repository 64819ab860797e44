import assert from "node:assert/strict";
import { mkdirSync, rmdirSync, rmSync } from "node:fs";
import path from "node:path";
import { after, describe, test } from "node:test";
import { connectControl, openAssigner, requireOpenRollout, takeBackSeen } from "@midflight/control";
import { loadConfig } from "../../src/config/load-config.ts";
import { makeProject, type Project, type Up } from "../support/project.ts";

type Json = Record<string, unknown>;
interface Shown {
  readonly release: string;
  readonly phase: string;
  readonly wave: number;
  readonly processes: readonly string[];
  readonly because: string | null;
}

function configText(rollout: string, processes = 4): string {
  return `export default {
  app: "demo",
  services: { web: { run: "node src/server.js", code: "src", health: "/readyz", env: { PORT: "0" }, processes: ${processes} } },
  rollout: ${rollout},
};
`;
}

describe("a rollout by waves", () => {
  const projects: Project[] = [];
  const ups: Up[] = [];
  after(async () => {
    for (const { process } of ups) if (process.isAlive) await process.stop();
    for (const project of projects) project.remove();
  });

  async function start(project: Project, ...args: readonly string[]): Promise<Up> {
    const up = await project.up(...args);
    ups.push(up);
    return up;
  }

  function open(rollout: string): Project {
    const project = makeProject({ files: { "midflight.config.mjs": configText(rollout) } });
    projects.push(project);
    return project;
  }

  async function status(project: Project): Promise<Json> {
    const { json, stdout, stderr, code } = await project.run("status", "--json");
    assert.equal(code, 0, stdout + stderr);
    return json;
  }

  /** What each process runs. */
  function releasesOf(json: Json): Record<string, string> {
    const members = (json["services"] as { members: { target: string; release: string }[] }[])[0]!.members;
    return Object.fromEntries(members.map(({ target, release }) => [target, release]));
  }

  function pidsOf(json: Json): Map<string, number> {
    return new Map((json["services"] as { members: { target: string; pid: number }[] }[])[0]!.members.map(({ target, pid }) => [target, pid]));
  }

  async function until(project: Project, isThere: (rollout: Shown | null, json: Json) => boolean): Promise<Json> {
    for (const deadline = performance.now() + 90_000; ; ) {
      const json = await status(project);
      if (isThere(json["rollout"] as Shown | null, json)) return json;
      assert.ok(performance.now() < deadline, JSON.stringify(json));
    }
  }

  test("each step reaches more of the processes, and the last one all of them", async () => {
    const project = open('{ steps: ["1", "50%", "100%"], bake: "200ms" }');
    const up = await start(project);
    project.edit("src/greeting.js", "hello", "hi");
    const deployed = await project.run("deploy", "--json");
    assert.equal(deployed.code, 0, deployed.stdout);
    const json = await status(project);
    assert.deepEqual(releasesOf(json), { "web-1": "r2", "web-2": "r2", "web-3": "r2", "web-4": "r2" });
    assert.equal(json["health"], "healthy");
    const waves = up.process.stdout.lines.filter((line) => /wave \d of 3\) baking/.test(line));
    assert.equal(waves.length, 2, up.process.stdout.lines.join("\n"));
    await up.process.stop();
  });

  test("what is paused is held until it is promoted, no other deploy begins, and what starts outside of the wave starts on the release before", async () => {
    const project = open('{ steps: ["1", "100%"], bake: "1h" }');
    const up = await start(project);
    project.edit("src/greeting.js", "hello", "hi");
    const deploying = await project.start("deploy", "--json");
    const baking = await until(project, (rollout) => rollout?.phase === "baking");
    const [inWave] = (baking["rollout"] as Shown).processes as [string];
    const before = releasesOf(baking);
    assert.deepEqual(Object.entries(before).filter(([, release]) => release === "r2").map(([target]) => target), [inWave]);
    assert.equal(baking["health"], "rolling");
    assert.equal((baking["live"] as Json)["release"], "r1");

    const second = await project.run("deploy", "--json", "--lock-wait", "1s");
    assert.equal(second.code, 3, second.stdout);
    const { code, why } = second.json["error"] as { code: string; why: string };
    assert.equal(code, "ROLLOUT_IN_PROGRESS");
    assert.match(why, /^r2, wave 1 of 2, baking; by .+ since 2/);

    const paused = await project.run("pause", "--json", "--why", "lunch");
    assert.equal(paused.code, 0, paused.stdout);
    const held = await until(project, (rollout) => rollout?.phase === "paused");
    assert.equal((held["rollout"] as Shown).because, "lunch");

    // One inside and one outside of the wave are killed; each comes back on what it has to follow.
    const pids = pidsOf(held);
    const outside = [...pids.keys()].find((target) => target !== inWave)!;
    process.kill(pids.get(outside)!, "SIGKILL");
    const back = await until(project, (_, json) => {
      const member = (json["services"] as { members: { target: string; pid: number; standing: string }[] }[])[0]!.members.find(({ target }) => target === outside)!;
      return member.pid !== pids.get(outside) && member.standing === "confirmed";
    });
    assert.deepEqual(releasesOf(back), before);
    assert.equal((back["rollout"] as Shown).phase, "paused");

    const promoted = await project.run("promote", "--json");
    assert.equal(promoted.code, 0, promoted.stdout);
    const { code: exit } = await deploying.exited;
    assert.equal(exit, 0, deploying.stdout.lines.join(""));
    assert.deepEqual([...new Set(Object.values(releasesOf(await status(project))))], ["r2"]);
    for (const verb of ["pause", "promote", "abort"]) {
      const late = await project.run(verb, "--json");
      assert.equal(late.code, 3, late.stdout);
      assert.equal((late.json["error"] as Json)["code"], "ROLLOUT_NONE");
    }
    await up.process.stop();
  });

  test("an abort brings every process back to the release before, and the deploy says so", async () => {
    const project = open('{ steps: ["50%", "100%"], bake: "1h" }');
    const up = await start(project);
    project.edit("src/greeting.js", "hello", "hi");
    const deploying = await project.start("deploy", "--json");
    const baking = await until(project, (rollout) => rollout?.phase === "baking");
    assert.equal((baking["rollout"] as Shown).processes.length, 2);
    const aborted = await project.run("abort", "--json", "--why", "prices are wrong");
    assert.equal(aborted.code, 0, aborted.stdout);
    const { code } = await deploying.exited;
    const answer = JSON.parse(deploying.stdout.lines.join("\n")) as { error: { code: string; why: string; state: string } };
    assert.equal(code, 4, JSON.stringify(answer));
    assert.equal(answer.error.code, "ROLLOUT_STOPPED");
    assert.match(answer.error.why, /prices are wrong/);
    const json = await status(project);
    assert.deepEqual([...new Set(Object.values(releasesOf(json)))], ["r1"]);
    assert.equal((json["rollout"] as Shown).phase, "rolled-back");
    await up.process.stop();
  });

  test("who says yes to an abort or a roll-back takes back what was live when the question was asked, and nothing that came since", async () => {
    const project = open('{ steps: ["1", "100%"], bake: "1h" }');
    const up = await start(project);
    const connection = await connectControl(await loadConfig({ directory: project.directory, variables: {} }), "publisher");
    try {
      project.edit("src/greeting.js", "hello", "hi");
      const first = await project.start("deploy", "--json");
      await until(project, (rollout) => rollout?.phase === "baking");
      const seen = (await requireOpenRollout(connection)).head.assign;
      assert.equal((await project.run("promote", "--json")).code, 0);
      assert.equal((await first.exited).code, 0);
      project.edit("src/greeting.js", "hi", "ahoy");
      const second = await project.start("deploy", "--json");
      await until(project, (rollout) => rollout?.release === "r3" && rollout.phase === "baking");
      const late = await takeBackSeen(connection, openAssigner(connection), seen.release, { to: seen.wave!.before });
      assert.deepEqual([late.kind, late.kind === "refused" && late.code], ["refused", "CHANNEL_HEAD_MOVED"]);
      const now = (await requireOpenRollout(connection)).head.assign;
      assert.equal(now.number, 3);
      assert.equal((await project.run("promote", "--json")).code, 0, "it has come further since it was seen, and is the same");
      assert.equal((await takeBackSeen(connection, openAssigner(connection), now.release, { to: now.wave!.before, why: "no" })).kind, "published");
      await second.exited;
      await until(project, (_, json) => json["health"] === "healthy" && Object.values(releasesOf(json)).every((release) => release === "r2"));
    } finally {
      await connection.close();
    }
    await up.process.stop();
  });

  test("a process of the wave that ends by itself takes the release back; the others never ran it", async () => {
    const project = open('{ steps: ["1", "100%"], bake: "1h" }');
    const up = await start(project);
    project.edit("src/greeting.js", 'return "hello"', 'setTimeout(() => process.exit(7), 50); return "hi"');
    const deploying = await project.start("deploy", "--json");
    const baking = await until(project, (rollout) => rollout?.phase === "baking");
    const [inWave] = (baking["rollout"] as Shown).processes as [string];
    const url = (baking["services"] as { members: { target: string; url: string }[] }[])[0]!.members.find(({ target }) => target === inWave)!.url;
    await fetch(url);
    const { code } = await deploying.exited;
    const answer = JSON.parse(deploying.stdout.lines.join("\n")) as { error: { code: string; why: string } };
    assert.equal(code, 4, JSON.stringify(answer));
    assert.equal(answer.error.code, "ROLLOUT_STOPPED");
    assert.match(answer.error.why, new RegExp(`${inWave} ended by itself: .*7`));
    const json = await until(project, (_, now) => now["health"] === "healthy");
    assert.deepEqual([...new Set(Object.values(releasesOf(json)))], ["r1"]);
    await up.process.stop();
  });

  test("a process of the wave that ends while nothing can be written takes the release back as soon as something can", async () => {
    const project = open('{ steps: ["1", "100%"], bake: "1h" }');
    const up = await start(project);
    project.edit("src/greeting.js", "hello", "hi");
    const deploying = await project.start("deploy", "--json");
    const baking = await until(project, (rollout) => rollout?.phase === "baking");
    const [inWave] = (baking["rollout"] as Shown).processes as [string];
    // No file can take the place of a directory.
    const record = path.join(project.directory, ".midflight/state/rollout.json");
    rmSync(record);
    mkdirSync(record);
    process.kill(pidsOf(baking).get(inWave)!, "SIGKILL");
    await up.process.waitForLine(new RegExp(`${inWave} .*ended`), { timeoutMs: 60_000 });
    const again = await until(project, (_, json) => pidsOf(json).get(inWave) !== pidsOf(baking).get(inWave) && releasesOf(json)[inWave] === "r2");
    assert.equal(up.process.isAlive, true);
    assert.equal(again["rollout"], null);
    rmdirSync(record);
    assert.equal((await deploying.exited).code, 4);
    const back = await until(project, (rollout) => rollout?.phase === "rolled-back");
    assert.match((back["rollout"] as Shown).because!, new RegExp(`^${inWave} ended by itself`));
    await up.process.stop();
  });

  test("what needs new processes replaces those of the wave, and no other, before the next wave", async () => {
    const project = open('{ steps: ["1", "100%"], bake: "1h", maxRung: "replace" }');
    const up = await start(project);
    const before = pidsOf(await status(project));
    project.edit("src/server.js", "new Counter();\n", "new Counter();\ncounter.total = 1000;\n");
    const deploying = await project.start("deploy", "--json");
    const baking = await until(project, (rollout) => rollout?.phase === "baking");
    const [inWave] = (baking["rollout"] as Shown).processes as [string];
    const during = pidsOf(baking);
    assert.deepEqual([...during].filter(([target, pid]) => before.get(target) !== pid).map(([target]) => target), [inWave]);
    assert.equal((await project.run("promote", "--json")).code, 0);
    assert.equal((await deploying.exited).code, 0, deploying.stdout.lines.join(""));
    const after = pidsOf(await status(project));
    assert.deepEqual([...after].filter(([target, pid]) => during.get(target) === pid).map(([target]) => target), [inWave]);
    await up.process.stop();
  });

  test("agents that were away while a rollout came and was aborted fold to the newest word, inside and outside of the wave", async () => {
    const project = open('{ steps: ["1", "100%"], bake: "1h" }');
    const up = await start(project);
    project.edit("src/greeting.js", "hello", "hi");
    const deploying = await project.start("deploy", "--json");
    const baking = await until(project, (rollout) => rollout?.phase === "baking");
    const [inWave] = (baking["rollout"] as Shown).processes as [string];
    const pids = pidsOf(baking);
    const outside = [...pids.keys()].find((target) => target !== inWave)!;
    const away = [inWave, outside].map((target) => pids.get(target)!);
    for (const pid of away) process.kill(pid, "SIGSTOP");
    const aborting = await project.start("abort", "--json");
    const returning = await until(project, (rollout) => rollout?.phase === "returning");
    assert.deepEqual((returning["rollout"] as Shown).processes, [inWave]);
    for (const pid of away) process.kill(pid, "SIGCONT");
    assert.equal((await aborting.exited).code, 0, aborting.stdout.lines.join(""));
    assert.equal((await deploying.exited).code, 4);
    const json = await until(project, (rollout, now) => rollout?.phase === "rolled-back" && now["health"] === "healthy");
    assert.deepEqual([...new Set(Object.values(releasesOf(json)))], ["r1"]);
    assert.deepEqual(pidsOf(json), pids, "nobody was started anew for it");
    await up.process.stop();
  });

  test("of two deploys that wait for a rollout one goes first, and the other waits for that one, too", async () => {
    const project = open('{ steps: ["1", "100%"], bake: "1h" }');
    const up = await start(project);
    project.edit("src/greeting.js", "hello", "hi");
    const first = await project.start("deploy", "--json");
    await until(project, (rollout) => rollout?.phase === "baking");
    project.edit("src/greeting.js", "hi", "ahoy");
    const waiting = [await project.start("deploy", "--lock-wait", "10m"), await project.start("deploy", "--lock-wait", "10m")];
    for (const one of waiting) await one.waitForLine(/Waiting: r2, wave 1 of 2, baking; by /, { timeoutMs: 60_000 });
    assert.equal((await project.run("promote", "--json")).code, 0);
    assert.equal((await first.exited).code, 0);
    await until(project, (rollout) => rollout?.release === "r3" && rollout.phase === "baking");
    assert.equal((await project.run("promote", "--json")).code, 0);
    const answers = await Promise.all(waiting.map(async (one) => ({ ...(await one.exited), text: one.stdout.lines.join("") })));
    assert.deepEqual(answers.map(({ code }) => code), [0, 0], JSON.stringify(answers));
    assert.deepEqual([/r3 is live after/, /Nothing changed/].map((said) => answers.filter(({ text }) => said.test(text)).length), [1, 1], JSON.stringify(answers));
    assert.deepEqual([...new Set(Object.values(releasesOf(await status(project))))], ["r3"]);
    await up.process.stop();
  });

  test("what is saved while a rollout of a watched project goes on follows it", async () => {
    const project = open('{ steps: ["1", "100%"], bake: "1h" }');
    const up = await start(project, "--watch");
    project.edit("src/greeting.js", "hello", "hi");
    await until(project, (rollout) => rollout?.phase === "baking");
    project.edit("src/greeting.js", "hi", "ahoy");
    await up.process.waitForLine(/A rollout is not at its end yet/, { timeoutMs: 60_000 });
    assert.equal((await project.run("promote", "--json")).code, 0);
    const next = await until(project, (rollout) => rollout?.release === "r3" && rollout.phase === "baking");
    assert.deepEqual([...new Set(Object.values(releasesOf(next)))].sort(), ["r2", "r3"]);
    const shown = await project.run("status");
    assert.match(shown.stdout, /▸ r3 1 process \(wave 1 of 2\) baking \S+ s of 1 h · on web-\d · by /);
    assert.match(shown.stdout, /r2 .* live .* rolling out/);
    assert.match((await project.run("ps")).stdout, /r3 1 process \(wave 1 of 2\) baking/);
    await up.process.stop();
  });
});

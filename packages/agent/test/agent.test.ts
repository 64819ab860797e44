import assert from "node:assert/strict";
import { afterEach, beforeEach, describe, test } from "node:test";
import type { Blob, Digest, Registry } from "@midflight/protocol";
import { BlobCache } from "../src/blob-cache.ts";
import type { AgentSignal } from "../src/signal.ts";
import { sha256 } from "@midflight/trust";
import { runAgent, type RunningAgent, type RunOptions } from "./support/run-agent.ts";
import { ScriptedRuntime } from "./support/scripted-runtime.ts";
import { until } from "./support/until.ts";
import { channel, textOf, unit, World, type Published } from "./support/world.ts";

const away = (): Promise<never> => Promise.reject(new Error("away"));
const hangs = (): Promise<never> => new Promise(() => undefined);

describe("an agent", () => {
  let world: World;
  let boot: Published;
  const running: RunningAgent[] = [];
  const run = async (options: RunOptions = {}): Promise<RunningAgent> => {
    const started = await runAgent(world, boot, options);
    running.push(started);
    return started;
  };

  beforeEach(async () => {
    world = new World();
    boot = world.release();
    await world.append(boot.entry, world.assign(boot));
  });
  afterEach(() => {
    for (const r of running.splice(0)) r.stop();
    world.close();
  });

  test("that starts on the assigned release changes nothing", async () => {
    const { runtime, agent } = await run();
    assert.deepEqual(runtime.log, []);
    assert.equal(agent.state, "following");
    assert.equal(agent.live, boot.id);
  });

  test("swaps to a release that is assigned while it runs, and reports it with what was read back", async () => {
    const { agent, runtime, outcome, states, untilState } = await run();
    const next = await world.deploy(boot);
    const { outcome: result } = await outcome(2, "swapped");
    assert(result.kind === "swapped");
    assert.equal(result.release, next.id);
    assert.equal(result.generation, 1);
    assert.equal(result.units, 1);
    assert.equal(runtime.live?.release, next.id);
    assert.equal(runtime.live.units[0]?.text, textOf(next));
    await untilState("following");
    assert.equal(agent.live, next.id);
    assert.deepEqual(states.slice(0, 6), ["following", "fetching", "staging", "swapping", "probation", "following"]);
    await until(async () => ((await world.reports()).length > 0 ? true : undefined));
    assert.deepEqual((await world.reports()).map((r) => [r.counter, r.outcome.kind]), [[2, "swapped"]]);
    const beat = await until(async () => (await world.registry.presence(channel)).find(({ counter }) => counter === 2));
    assert.equal(beat.live, next.id);
  });

  test("follows the next assign at once, whatever disks still have to do for the last", async (t) => {
    t.mock.method(BlobCache.prototype, "prune", hangs);
    const { agent, until, untilState, outcome } = await run();
    const lives = (release: Published): Promise<AgentSignal> => until((_signal): _signal is AgentSignal => agent.live === release.id);
    await world.deploy(boot);
    await outcome(2, "swapped");
    await untilState("following");
    t.mock.method(BlobCache.prototype, "settled", hangs);
    await lives(await world.deploy(boot));
    await lives(await world.deploy(boot));
  });

  test("asks once for all that a swap needs, if the transition names the directories; level by level if it does not", async () => {
    const asked: number[] = [];
    const getBlobs = world.registry.getBlobs.bind(world.registry);
    const { outcome } = await run({ registry: { ...world.registry, getBlobs: (digests) => (asked.push(digests.length), getBlobs(digests)) } });
    const deploy = async (isHinted: boolean): Promise<void> => {
      const to = world.release();
      const directories = isHinted ? world.directories.get(to.release.tree)! : [];
      await world.append(to.entry, await world.transition(boot, to, { directories }), world.assign(to));
    };
    await deploy(true);
    await outcome(2, "swapped");
    assert.deepEqual(asked.splice(0), [4], "operations, text, root, src");
    await deploy(false);
    await outcome(3, "swapped");
    assert.deepEqual(asked.slice(0, 3).sort((a, b) => a - b), [1, 1, 2]);
  });

  /** A release that comes with everything that a swap to it needs, for an agent that counts what it asks for beside. */
  const deployEnclosed = async (): Promise<{ readonly to: Published; readonly blobs: readonly Blob[] }> => {
    const before = world.stored.length;
    const to = world.release();
    const way = await world.transition(boot, to, { directories: world.directories.get(to.release.tree)! });
    await world.append(to.entry, way);
    const blobs = world.stored.slice(before);
    world.enclosed = blobs;
    await world.append(world.assign(to));
    return { to, blobs };
  };

  test("asks for nothing that came along with the log, and keeps it for a restart", async () => {
    const asked: Digest[] = [];
    const started = await run({ registry: { ...world.registry, getBlobs: (digests) => (asked.push(...digests), world.registry.getBlobs(digests)) } });
    const { to, blobs } = await deployEnclosed();
    assert.equal(blobs.length, 4, "operations, text, root, src");
    await started.outcome(2, "swapped");
    assert.deepEqual(asked, []);
    started.stop();
    const { runtime, agent } = await run({ registry: { ...world.registry, head: away, read: away, beat: away, getBlobs: away } });
    assert.deepEqual([agent.live, runtime.adopted?.units[0]?.text], [to.id, textOf(to)]);
  });

  test("asks for what came along spoiled, and runs what was signed", async () => {
    const asked: Digest[] = [];
    const registry: Registry = {
      ...world.registry,
      getBlobs: (digests) => (asked.push(...digests), world.registry.getBlobs(digests)),
      onPoke: (to, poke) => world.registry.onPoke(to, (enclosure) => poke(enclosure && { ...enclosure, blobs: enclosure.blobs.map(({ digest }) => ({ digest, bytes: Buffer.from("spoiled") })) })),
    };
    const { runtime, outcome } = await run({ registry });
    const { to, blobs } = await deployEnclosed();
    await outcome(2, "swapped");
    assert.deepEqual(new Set(asked), new Set(blobs.map(({ digest }) => digest)));
    assert.equal(runtime.live?.units[0]?.text, textOf(to));
  });

  test("on an older known release takes its transition before the app loads", async () => {
    const next = await world.deploy(boot);
    const { runtime, agent, states } = await run();
    assert.deepEqual(runtime.log, [`adopt ${next.id}`]);
    assert.equal(agent.live, next.id);
    assert.equal(states[0], "following");
  });

  test("comes up on the live release again while the registry is away", async () => {
    const next = await world.deploy(boot);
    (await run()).stop();
    const { runtime, agent } = await run({ registry: { ...world.registry, head: away, read: away, beat: away } });
    assert.deepEqual(runtime.log, [`adopt ${next.id}`]);
    assert.equal(agent.live, next.id);
  });

  test("does not wait longer for the registry than it is told", async () => {
    const { agent } = await run({ registry: { ...world.registry, head: hangs }, bootWaitMs: 30 });
    assert.equal(agent.state, "following");
    assert.equal(agent.live, boot.id);
  });

  test("waits for a way that is not published yet, and then goes on by itself", async () => {
    const { outcome } = await run();
    const next = world.release();
    await world.append(next.entry, world.assign(next));
    const refused = await outcome(2, "refused");
    assert(refused.outcome.kind === "refused");
    assert.equal(refused.outcome.code, "TRANSITION_MISSING");
    await world.append(await world.transition(boot, next));
    await outcome(2, "swapped");
  });

  test("takes a way that is published while it waits to start", async () => {
    const next = world.release();
    await world.append(next.entry, world.assign(next));
    const starting = run();
    await world.append(await world.transition(boot, next));
    const { runtime, signals } = await starting;
    assert.deepEqual(runtime.log, [`adopt ${next.id}`]);
    assert.equal(signals.filter((s) => s.kind === "outcome").length, 0);
  });

  test("waits for another way when the one that is published leaves something out", async () => {
    const runtime = new ScriptedRuntime();
    const { outcome, untilState } = await run({ runtime });
    runtime.refuseStage = { code: "TRANSITION_MISSING", reason: "it leaves out a unit", unit: unit };
    const next = await world.deploy(boot);
    await outcome(2, "refused");
    await untilState("following");
    runtime.refuseStage = null;
    assert.equal(runtime.log.length, 1, "the same way is not tried again");
    await world.append(await world.transition(boot, next, { birth: "planned again" }));
    await outcome(2, "swapped");
    assert.equal(runtime.live?.units[0]?.ops.birth, "planned again");
  });

  test("swaps after the app has loaded what could not be taken before", async () => {
    const runtime = new ScriptedRuntime();
    runtime.refuseAdopt = true;
    runtime.loaded.clear();
    const next = await world.deploy(boot);
    const { outcome, agent } = await run({ runtime });
    assert.equal(agent.live, boot.id);
    assert.deepEqual(runtime.log, [`adopt ${next.id}`]);
    runtime.loaded.add("app.js");
    await outcome(2, "swapped");
    assert.deepEqual(runtime.log.slice(1), [`stage ${next.id}`, `commit ${next.id}`]);
  });

  test("refuses a change that needs a new process, with the planner's own reason", async () => {
    const { outcome, agent, runtime } = await run();
    const next = world.release();
    await world.append(next.entry, await world.transition(boot, next, { rung: "replace" }), world.assign(next));
    const { outcome: result } = await outcome(2, "refused");
    assert(result.kind === "refused");
    assert.equal(result.code, "REPLACE_NEEDED");
    assert.equal(result.reason, "price.js: a side effect changed");
    assert.equal(result.unit, unit);
    assert.equal(agent.live, boot.id);
    assert.deepEqual(runtime.log, []);
  });

  test("keeps a refused release refused until an assign says retry", async () => {
    const runtime = new ScriptedRuntime();
    const { outcome } = await run({ runtime });
    runtime.refuseStage = { code: "EVAL_DISALLOWED", reason: "eval is off", unit: unit };
    const next = await world.deploy(boot);
    await outcome(2, "refused");
    runtime.refuseStage = null;
    await world.append(world.assign(next));
    await outcome(3, "refused");
    assert.equal(runtime.live, null);
    await world.append(world.assign(next, { cause: "retry" }));
    await outcome(4, "swapped");
  });

  test("reports a commit that was undone as refused, and what served goes on", async () => {
    const runtime = new ScriptedRuntime();
    runtime.undoCommit = true;
    const { outcome, agent, untilState } = await run({ runtime });
    await world.deploy(boot);
    const { outcome: result } = await outcome(2, "refused");
    assert(result.kind === "refused");
    assert.equal(result.code, "OVERLAY_FAILED");
    await untilState("following");
    assert.equal(agent.live, boot.id);
  });

  test("with a bug inside stops, says so, and leaves the process alone", async () => {
    const runtime = new ScriptedRuntime();
    runtime.throwOnCommit = true;
    const { outcome, agent, untilState } = await run({ runtime });
    await world.deploy(boot);
    const { outcome: result } = await outcome(2, "refused");
    assert(result.kind === "refused");
    assert.equal(result.code, "INTERNAL");
    await untilState("stopped");
    await world.deploy(boot);
    assert.equal(agent.state, "stopped");
  });

  test("follows the newest assign when several come while it fetches", async () => {
    // Nothing of the others is there before the newest is asked for: how fast they come must not decide.
    const newestText = sha256(textOf({ release: { number: boot.release.number + 3 } }));
    let askForNewest: () => void;
    const newestIsAsked = new Promise<void>((resolve) => (askForNewest = resolve));
    const registry = {
      ...world.registry,
      getBlobs: async (digests: Parameters<typeof world.registry.getBlobs>[0]) => {
        if (digests.includes(newestText)) askForNewest();
        await newestIsAsked;
        return await world.registry.getBlobs(digests);
      },
    };
    const { outcome, runtime, untilState, states } = await run({ registry });
    await world.deploy(boot);
    await untilState("fetching");
    await world.deploy(boot);
    const newest = await world.deploy(boot);
    await outcome(4, "swapped");
    assert.deepEqual(runtime.log, [`stage ${newest.id}`, `commit ${newest.id}`]);
    assert(!states.includes("starting"));
  });

  test("gives up a fetch when the newest assign names what is live", async () => {
    const registry = { ...world.registry, getBlobs: (): Promise<never> => new Promise(() => undefined) };
    const { agent, runtime, untilState } = await run({ registry });
    await world.deploy(boot);
    await untilState("fetching");
    await world.append(world.assign(boot, { cause: "rollback" }));
    await untilState("following");
    assert.equal(agent.live, boot.id);
    assert.deepEqual(runtime.log, []);
  });

  test("goes on fetching when the registry comes back", async () => {
    let failures = 3;
    const registry = {
      ...world.registry,
      getBlobs: async (digests: Parameters<typeof world.registry.getBlobs>[0]) => {
        if (failures-- > 0) throw Object.assign(new Error("connection refused"), { [Symbol.for("@midflight/error")]: true, code: "REGISTRY_UNREACHABLE", facts: { what: "away" } });
        return await world.registry.getBlobs(digests);
      },
    };
    const { outcome } = await run({ registry });
    await world.deploy(boot);
    await outcome(2, "swapped");
    assert(failures < 0);
  });

  test("delivers every report although the registry refuses the first tries", async () => {
    let failures = 2;
    const registry = { ...world.registry, report: async (list: Parameters<typeof world.registry.report>[0]) => (failures-- > 0 ? Promise.reject(new Error("away")) : world.registry.report(list)) };
    const { outcome } = await run({ registry });
    await world.deploy(boot);
    await outcome(2, "swapped");
    await until(async () => ((await world.reports()).length > 0 ? true : undefined));
    assert.equal((await world.reports()).length, 1);
  });
});

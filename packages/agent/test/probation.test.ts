import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { createServer, get } from "node:http";
import { once, type EventEmitter } from "node:events";
import type { AddressInfo } from "node:net";
import { afterEach, beforeEach, describe, test } from "node:test";
import { runAgent, type RunningAgent, type RunOptions } from "./support/run-agent.ts";
import { ScriptedRuntime } from "./support/scripted-runtime.ts";
import { channel, World, type Published } from "./support/world.ts";

/** What Node does before it hands an error to the app's own handler. */
function raise(message: string): void {
  (process as EventEmitter).emit("uncaughtExceptionMonitor", new Error(message), "uncaughtException");
}

/** An app's own handler: with it, the process survives. */
const handler = (): void => undefined;

describe("after a swap", () => {
  let world: World;
  let boot: Published;
  const running: RunningAgent[] = [];
  const run = async (options: RunOptions = {}): Promise<RunningAgent> => {
    const started = await runAgent(world, boot, { probationMs: 5000, ...options });
    running.push(started);
    return started;
  };

  beforeEach(async () => {
    world = new World();
    boot = world.release();
    await world.append(boot.entry, world.assign(boot));
    // As an app that survives its errors: without a handler the process would be about to die.
    process.on("uncaughtException", handler);
  });
  afterEach(() => {
    process.off("uncaughtException", handler);
    for (const r of running.splice(0)) r.stop();
    world.close();
  });

  test("an uncaught error takes the release back to what was live before, and says why", async () => {
    const { agent, runtime, outcome, untilState, states } = await run();
    const next = await world.deploy(boot);
    await outcome(2, "swapped");
    raise("boom");
    const { outcome: result } = await outcome(2, "reverted");
    assert(result.kind === "reverted");
    assert.equal(result.release, next.id);
    assert.equal(result.code, "SWAP_REVERTED");
    assert.equal(result.generation, 2);
    assert.match(result.reason, /uncaughtException: Error: boom/);
    await untilState("following");
    assert.equal(agent.live, boot.id);
    assert.equal(runtime.live?.release, boot.id);
    assert.deepEqual(states.slice(-3), ["probation", "reverting", "following"]);
  });

  test("goes back by the way that was planned anew, which also reaches what the failed release touched", async () => {
    const { runtime, outcome } = await run();
    const next = world.release();
    await world.append(next.entry, await world.transition(boot, next), await world.transition(boot, boot, { birth: "boot, said again" }), world.assign(next));
    await outcome(2, "swapped");
    raise("boom");
    await outcome(2, "reverted");
    assert.equal(runtime.live?.units[0]?.ops.birth, "boot, said again");
  });

  test("a reverted release stays refused, also after a restart, until an assign says retry", async () => {
    const first = await run();
    const next = await world.deploy(boot);
    await first.outcome(2, "swapped");
    raise("boom");
    await first.outcome(2, "reverted");
    first.stop();
    const second = await run();
    const { outcome } = await second.outcome(2, "refused");
    assert(outcome.kind === "refused");
    assert.equal(outcome.code, "SWAP_REVERTED");
    assert.match(outcome.reason, /boom/);
    assert.equal(second.agent.live, boot.id);
    await world.append(world.assign(next));
    await second.outcome(3, "refused");
    await world.append(world.assign(next, { cause: "retry" }));
    await second.outcome(4, "swapped");
    await second.untilState("probation");
    second.stop();
    const third = await run();
    assert.equal(third.agent.live, next.id);
  });

  test("an error that ends the process is written down before it dies, and the restart comes up on what was live before", async () => {
    const first = await run({ probationMs: 50 });
    const before = await world.deploy(boot);
    await first.outcome(2, "swapped");
    await first.untilState("following");
    first.stop();
    const second = await run();
    const next = await world.deploy(boot);
    await second.outcome(3, "swapped");
    process.off("uncaughtException", handler);
    const others = process.listeners("uncaughtException");
    process.removeAllListeners("uncaughtException");
    try {
      raise("fatal");
      // The file has a line for each change.
      const floor = JSON.parse(readFileSync(`${world.directory}/state/web-1.json`, "utf8").trim().split("\n").at(-1)!) as { reverted: unknown };
      assert.deepEqual(floor.reverted, [{ release: next.id, reason: "uncaughtException: Error: fatal" }]);
    } finally {
      for (const other of others) process.on("uncaughtException", other);
    }
    second.stop();
    const third = await run();
    assert.equal(third.agent.live, before.id);
    await third.outcome(3, "refused");
  });

  test("no listener of ours changes what Node does with errors and rejections", async () => {
    const before = ["unhandledRejection", "uncaughtException"].map((name) => process.listenerCount(name));
    const { outcome } = await run();
    await world.deploy(boot);
    await outcome(2, "swapped");
    assert.deepEqual(["unhandledRejection", "uncaughtException"].map((name) => process.listenerCount(name)), before);
  });

  test("an error after the window leaves the release live", async () => {
    const { agent, outcome, untilState, states } = await run({ probationMs: 20 });
    const next = await world.deploy(boot);
    await outcome(2, "swapped");
    await untilState("following");
    raise("late");
    assert.equal(agent.live, next.id);
    assert(!states.includes("reverting"));
  });

  test("a newer assign ends the window and is followed", async () => {
    const { agent, outcome, untilState } = await run();
    await world.deploy(boot);
    await outcome(2, "swapped");
    const newer = await world.deploy(boot);
    await outcome(3, "swapped");
    await untilState("probation");
    assert.equal(agent.live, newer.id);
    assert.equal(agent.generation, 2);
  });

  test("an error that came before a newer assign is dealt with first", async () => {
    const { agent, outcome } = await run();
    const next = await world.deploy(boot);
    await outcome(2, "swapped");
    raise("boom");
    const newer = world.release();
    await world.append(newer.entry, await world.transition(boot, newer, { rung: "replace" }), world.assign(newer));
    const { outcome: result } = await outcome(2, "reverted");
    assert.equal(result.release, next.id);
    await outcome(3, "refused");
    assert.equal(agent.live, boot.id);
  });

  test("an assign of what is live does not end the window", async () => {
    const { outcome } = await run();
    const next = await world.deploy(boot);
    await outcome(2, "swapped");
    await world.append(world.assign(next));
    for (let counter = 2; counter !== 3; counter = (await world.registry.presence(channel))[0]?.counter ?? 0) await new Promise(setImmediate);
    raise("boom");
    await outcome(2, "reverted");
  });

  test("when the way back fails too, the agent stops and says what is live", async () => {
    const runtime = new ScriptedRuntime();
    const { agent, outcome, untilState } = await run({ runtime });
    const next = await world.deploy(boot);
    await outcome(2, "swapped");
    runtime.undoCommit = true;
    raise("boom");
    const { outcome: result } = await outcome(2, "refused");
    assert(result.kind === "refused");
    assert.equal(result.release, boot.id);
    assert.match(result.reason, /boom.*way back failed/);
    await untilState("stopped");
    assert.equal(agent.live, next.id);
  });

  test("answers that turn to 5xx take the release back; those of before do not count", async () => {
    let status = 500;
    const server = createServer((_request, response) => {
      response.statusCode = status;
      response.end();
    });
    server.listen(0, "127.0.0.1");
    await once(server, "listening");
    const { port } = server.address() as AddressInfo;
    const ask = async (times: number): Promise<void> => {
      for (let i = 0; i < times; i++) {
        const [response] = await once(get({ port, agent: false }), "response");
        response.resume();
        await once(response, "end");
      }
    };
    try {
      const { outcome, agent } = await run();
      await ask(3);
      status = 200;
      await ask(20);
      await world.deploy(boot);
      await outcome(2, "swapped");
      await ask(10);
      assert.equal(agent.state, "probation");
      status = 503;
      await ask(10);
      const { outcome: result } = await outcome(2, "reverted");
      assert(result.kind === "reverted");
      assert.match(result.reason, /were 5xx since the swap, 3 of 23 before/);
    } finally {
      server.close();
    }
  });
});

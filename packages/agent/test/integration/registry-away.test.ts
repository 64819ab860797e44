import assert from "node:assert/strict";
import { after, afterEach, beforeEach, describe, test } from "node:test";
import { connectRegistry, follow } from "@midflight/registry-client";
import { openRegistry, serveRegistry, type RegistryServer } from "@midflight/registry";
import type { Registry } from "@midflight/protocol";
import { runAgent, type RunningAgent } from "../support/run-agent.ts";
import { channel, World, type Published } from "../support/world.ts";

const tokens = { secret: ["agent"] } as const;

/** Holds the process while only unref'd handles of the agent are there, as an app's own server would. */
const alive = setInterval(() => undefined, 60_000);
after(() => clearInterval(alive));

describe("an agent on a real registry", () => {
  let world: World;
  let registry: Registry;
  let server: RegistryServer;
  let boot: Published;
  let running: RunningAgent | null = null;

  const run = async (): Promise<RunningAgent> => {
    const client = connectRegistry({ url: server.url, token: "secret" });
    running = await runAgent(world, boot, { registry: client, follow: (after, options) => follow(client, channel, after, options), bootWaitMs: 5000 });
    return running;
  };

  beforeEach(async () => {
    world = new World();
    registry = openRegistry({ path: `${world.directory}/registry.db` });
    world.registry = registry;
    server = await serveRegistry(registry, { port: 0, tokens });
    boot = world.release();
    await world.append(boot.entry, world.assign(boot));
  });
  afterEach(async () => {
    running?.stop();
    await server.close();
    await registry.close();
    world.close();
  });

  test("swaps, reports and beats over HTTP", async () => {
    const { outcome, agent } = await run();
    const next = await world.deploy(boot);
    await outcome(2, "swapped");
    assert.equal(agent.live, next.id);
    for (let reports = 0; reports === 0; reports = (await world.reports()).length) await new Promise(setImmediate);
    const beats = await registry.presence(channel);
    assert.equal(beats.length, 1);
  });

  test("catches up when the registry was killed, missed deploys, and came back", async () => {
    const { outcome, agent } = await run();
    await world.deploy(boot);
    await outcome(2, "swapped");
    const port = Number(new URL(server.url).port);
    await server.close();
    await world.deploy(boot);
    const newest = await world.deploy(boot);
    server = await serveRegistry(registry, { port, tokens });
    await outcome(4, "swapped");
    assert.equal(agent.live, newest.id);
    assert.deepEqual(running!.runtime.log.filter((l) => l.startsWith("commit")).length, 2, "the overtaken deploy was never walked through");
  });

  test("follows a registry that was created anew only forward", async () => {
    const { outcome, agent } = await run();
    const live = await world.deploy(boot);
    await outcome(2, "swapped");
    const port = Number(new URL(server.url).port);
    await server.close();
    await registry.close();
    registry = openRegistry({ path: `${world.directory}/other.db` });
    world.registry = registry;
    await world.append(boot.entry, world.assign(boot, { counter: 1 }));
    server = await serveRegistry(registry, { port, tokens });
    const newer = world.release();
    await world.append(live.entry, newer.entry, await world.transition(boot, newer), world.assign(newer, { counter: 3 }));
    await outcome(3, "swapped");
    assert.equal(agent.live, newer.id);
    assert(!running!.runtime.log.includes(`stage ${boot.id}`));
  });

  test("comes up at once on the live release while nobody listens", async () => {
    const first = await run();
    const live = await world.deploy(boot);
    await first.outcome(2, "swapped");
    first.stop();
    await server.close();
    const startedAt = performance.now();
    const { agent } = await run();
    assert.equal(agent.live, live.id);
    assert(performance.now() - startedAt < 4000, "it did not wait for its deadline of 5,000 ms");
  });

  test("with a token that the registry refuses lets the app start", async () => {
    const client = connectRegistry({ url: server.url, token: "wrong" });
    running = await runAgent(world, boot, { registry: client, follow: (after, options) => follow(client, channel, after, options), bootWaitMs: 5000 });
    assert.equal(running.agent.state, "following");
    assert(running.signals.some((s) => s.kind === "trouble" && s.code === "TOKEN_REFUSED"));
  });
});

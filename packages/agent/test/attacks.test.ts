import assert from "node:assert/strict";
import { afterEach, beforeEach, describe, test } from "node:test";
import { type Blob, type ErrorCode, type LogEntry, type Registry } from "@midflight/protocol";
import { generateSigningKey, sha256 } from "@midflight/trust";
import type { AgentSignal } from "../src/signal.ts";
import { HandFeed, runAgent, type RunningAgent, type RunOptions } from "./support/run-agent.ts";
import { ScriptedRuntime } from "./support/scripted-runtime.ts";
import { until } from "./support/until.ts";
import { channel, textOf, unit, World, type Published } from "./support/world.ts";

function ignored(started: RunningAgent): Promise<Extract<AgentSignal, { kind: "ignored" }>> {
  return started.until((s): s is Extract<AgentSignal, { kind: "ignored" }> => s.kind === "ignored");
}

function at(seq: number): Pick<LogEntry, "cursor" | "at"> {
  return { cursor: { epoch: "e", seq }, at: "" };
}

// Registry, network and disk belong to the attacker here; the agent's keys do not. The required outcome is always the
// same: nothing of it is executed, what served serves on, and the refusal can be read.
describe("nobody without the right key changes the code:", () => {
  let world: World;
  let boot: Published;
  const running: RunningAgent[] = [];
  const run = async (options: RunOptions = {}): Promise<RunningAgent> => {
    const started = await runAgent(world, boot, options);
    running.push(started);
    return started;
  };
  const assertRefused = async (started: RunningAgent, counter: number, code: ErrorCode): Promise<void> => {
    const { outcome } = await started.outcome(counter, "refused");
    assert(outcome.kind === "refused");
    assert.equal(outcome.code, code);
    assertUntouched(started);
  };
  const assertUntouched = ({ agent, runtime }: RunningAgent): void => {
    assert.deepEqual(runtime.log, []);
    assert.equal(agent.live, boot.id);
  };
  /** After whatever was refused, the agent still obeys who may command it. */
  const assertAlive = async (started: RunningAgent): Promise<void> => {
    const next = await world.deploy(boot);
    const counter = (await started.until((s): s is Extract<AgentSignal, { kind: "outcome" }> => s.kind === "outcome" && s.outcome.kind === "swapped")).counter;
    assert.equal(started.agent.live, next.id);
    assert(counter > 0);
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

  for (const [name, forge, code] of [
    ["by a key that the root does not know", () => generateSigningKey(), "KEY_UNKNOWN"],
    ["by the builder's key, which may not assign", () => world.builder, "KEY_ROLE_MISSING"],
  ] as const) {
    test(`an assign signed ${name} is not obeyed`, async () => {
      const started = await run();
      const next = world.release();
      await world.append(next.entry, await world.transition(boot, next), world.assign(next, { counter: 2 }, forge()));
      assert.equal((await ignored(started)).code, code);
      assertUntouched(started);
      const report = await until(async () => (await world.reports())[0]);
      assert.equal(report.outcome.kind, "refused");
      await assertAlive(started);
    });
  }

  test("an assign whose bytes were changed is not obeyed", async () => {
    const started = await run();
    const next = world.release();
    const { kind, envelope } = world.assign(next);
    const payload = Buffer.from(Buffer.from(envelope.payload, "base64").toString().replace('"counter":2', '"counter":9'));
    await world.append(next.entry, await world.transition(boot, next), { kind, id: sha256(payload), envelope: { ...envelope, payload: payload.toString("base64") } });
    assert.equal((await ignored(started)).code, "SIGNATURE_INVALID");
    assertUntouched(started);
    await assertAlive(started);
  });

  test("an assign of another channel is not obeyed, though it is signed", async () => {
    const started = await run();
    await world.append(world.assign(world.release(), { channel: "shop/production" }));
    assert.equal((await ignored(started)).code, "CHANNEL_MISMATCH");
    assertUntouched(started);
    await assertAlive(started);
  });

  test("an assign of another app is not obeyed, though it is signed", async () => {
    const started = await run();
    await world.append(world.assign(world.release(), { channel: "bank/test" }));
    assert.equal((await ignored(started)).code, "CHANNEL_MISMATCH");
    assertUntouched(started);
  });

  test("an oversized assign is not even decoded", async () => {
    const feed = new HandFeed();
    const started = await run({ follow: feed.follow });
    const entry = world.assign(boot, { counter: 2 });
    const payload = "A".repeat(16 << 20);
    await feed.give({ ...entry, cursor: { epoch: "e", seq: 9 }, at: "", envelope: { ...entry.envelope, payload } });
    assert.equal((await ignored(started)).code, "OBJECT_TOO_LARGE");
    assertUntouched(started);
  });

  test("an assign that expired before it arrived is not obeyed", async () => {
    const started = await run();
    await world.deploy(boot, { expiresAt: Date.now() - 1 });
    await assertRefused(started, 2, "ASSIGN_EXPIRED");
    await assertAlive(started);
  });

  test("setting the clock back does not make an expired assign young", async () => {
    const started = await run({ now: () => 0 });
    await world.deploy(boot, { expiresAt: Date.now() - 3_600_000 });
    await assertRefused(started, 2, "ASSIGN_EXPIRED");
  });

  test("a release of another app is refused", async () => {
    const started = await run();
    const next = world.release({ app: "bank" });
    await world.append(next.entry, await world.transition(boot, next), world.assign(next));
    await assertRefused(started, 2, "CHANNEL_MISMATCH");
  });

  test("a release that no builder signed is refused", async () => {
    const started = await run();
    const next = world.release({}, world.controller);
    await world.append(next.entry, await world.transition(boot, next), world.assign(next));
    await assertRefused(started, 2, "KEY_ROLE_MISSING");
  });

  test("a release that the registry does not have is refused", async () => {
    const started = await run();
    const next = world.release();
    await world.append(await world.transition(boot, next), world.assign(next));
    await assertRefused(started, 2, "RELEASE_UNKNOWN");
  });

  test("a transition that no planner signed is refused", async () => {
    const started = await run();
    const next = world.release();
    await world.append(next.entry, await world.transition(boot, next, { key: world.builder }), world.assign(next));
    await assertRefused(started, 2, "KEY_ROLE_MISSING");
  });

  test("a transition under a false label is refused", async () => {
    const started = await run();
    const next = world.release();
    const other = world.release();
    const way = await world.transition(boot, other);
    await world.append(next.entry, { ...way, to: next.id }, world.assign(next));
    await assertRefused(started, 2, "OBJECT_INVALID");
  });

  test("a planner cannot bring a text that is not in the release", async () => {
    const started = await run();
    const next = world.release();
    await world.append(next.entry, await world.transition(boot, next, { text: "free code" }), world.assign(next));
    await assertRefused(started, 2, "ARTIFACT_DIGEST_MISMATCH");
  });

  for (const [name, tamper, code] of [
    ["with one byte changed", (b: Blob) => ({ ...b, bytes: b.bytes.map((x, i) => (i === 0 ? x ^ 1 : x)) }), "ARTIFACT_DIGEST_MISMATCH"],
    ["over the size limit", (b: Blob) => ({ ...b, bytes: new Uint8Array((32 << 20) + 1) }), "OBJECT_TOO_LARGE"],
    ["of another digest", (b: Blob) => ({ ...b, digest: sha256("other") }), "REGISTRY_STORE_DAMAGED"],
  ] as const) {
    test(`a file ${name} is refused before it is parsed`, async () => {
      const getBlobs: Registry["getBlobs"] = async (digests) => (await world.registry.getBlobs(digests)).map(tamper);
      const started = await run({ registry: { ...world.registry, getBlobs } });
      await world.deploy(boot);
      await assertRefused(started, 2, code);
    });
  }

  test("a file that was changed in the cache on disk is fetched again", async () => {
    const { readdirSync, writeFileSync } = await import("node:fs");
    const first = await run();
    const next = await world.deploy(boot);
    await first.outcome(2, "swapped");
    first.stop();
    const blobs = `${world.directory}/state/blobs`;
    for (const name of readdirSync(blobs)) writeFileSync(`${blobs}/${name}`, "evil");
    const second = await run();
    assert.equal(second.runtime.adopted?.units[0]?.text, textOf(next));
  });

  test("an older head shown after a restart is not obeyed, and the last live release is taken instead", async () => {
    const old = await world.registry.head(channel);
    const first = await run();
    const next = await world.deploy(boot);
    await first.outcome(2, "swapped");
    first.stop();
    const feed = new HandFeed();
    const second = await run({ registry: { ...world.registry, head: async () => old }, follow: feed.follow });
    const { outcome } = await second.outcome(1, "refused");
    assert(outcome.kind === "refused");
    assert.equal(outcome.code, "ASSIGN_REPLAYED");
    assert.equal(second.agent.live, next.id);
  });

  test("an assign with an accepted counter for another release is not obeyed", async () => {
    const first = await run();
    const next = await world.deploy(boot);
    await first.outcome(2, "swapped");
    first.stop();
    const other = world.release();
    const twin = world.assign(other, { counter: 2 });
    const head = async (): Promise<LogEntry> => ({ ...twin, cursor: { epoch: "e", seq: 1 }, at: "" });
    const second = await run({ registry: { ...world.registry, head }, follow: new HandFeed().follow });
    const { outcome } = await second.outcome(2, "refused");
    assert(outcome.kind === "refused");
    assert.equal(outcome.code, "ASSIGN_REPLAYED");
    assert.equal(second.agent.live, next.id);
  });

  test("an old assign that is put behind the newest one is not obeyed, and is reported", async () => {
    const started = await run();
    const old = world.assign(boot);
    const next = await world.deploy(boot);
    await started.outcome(3, "swapped");
    await world.append(old);
    assert.equal((await ignored(started)).code, "ASSIGN_REPLAYED");
    assert.equal(started.agent.live, next.id);
  });

  test("a newer epoch starts the counters anew, and an older one is never obeyed again", async () => {
    const started = await run();
    const next = world.release();
    await world.append(next.entry, await world.transition(boot, next), world.assign(next, { epoch: 2, counter: 1 }));
    await started.outcome(1, "swapped");
    await world.append(world.assign(boot, { epoch: 1, counter: 900 }));
    assert.equal((await ignored(started)).code, "ASSIGN_REPLAYED");
    assert.equal(started.agent.live, next.id);
  });

  test("without its state file an agent still obeys nothing older than it has seen in this process", async () => {
    const { rmSync } = await import("node:fs");
    const feed = new HandFeed();
    const started = await run({ follow: feed.follow });
    const next = world.release();
    const way = await world.transition(boot, next);
    const old = world.assign(boot, { counter: 5 });
    await world.append(next.entry);
    await feed.give({ ...way, ...at(1) }, { ...world.assign(next, { counter: 7 }), ...at(2) });
    await started.outcome(7, "swapped");
    rmSync(`${world.directory}/state`, { recursive: true });
    await feed.give({ ...old, ...at(3) });
    assert.equal((await ignored(started)).code, "ASSIGN_REPLAYED");
    assert.equal(started.agent.live, next.id);
  });

  test("a state file full of rubbish does not stop the agent", async () => {
    const { mkdirSync, writeFileSync } = await import("node:fs");
    mkdirSync(`${world.directory}/state`);
    writeFileSync(`${world.directory}/state/web-1.json`, "\0{{{");
    writeFileSync(`${world.directory}/state/web-1.live.json`, "\0{{{");
    const started = await run();
    assert(started.signals.some((s) => s.kind === "trouble" && s.where === "floor"));
    await assertAlive(started);
  });

  test("where no counter floor can be kept, nothing is swapped", async () => {
    const { writeFileSync } = await import("node:fs");
    writeFileSync(`${world.directory}/state`, "no directory");
    const started = await run();
    await world.deploy(boot);
    await assertRefused(started, 2, "FILE_UNREADABLE");
  });

  test("a way back that a restart finds on disk is verified like any other", async () => {
    const { readFileSync, writeFileSync } = await import("node:fs");
    const first = await run();
    await world.deploy(boot);
    await first.outcome(2, "swapped");
    first.stop();
    const file = `${world.directory}/state/web-1.live.json`;
    const record = JSON.parse(readFileSync(file, "utf8")) as { way: { transition: { payload: string } } };
    const { transition } = record.way;
    transition.payload = Buffer.from(Buffer.from(transition.payload, "base64").toString().replace(unit, "src/evil0.js")).toString("base64");
    writeFileSync(file, JSON.stringify(record));
    const second = await run({ registry: { ...world.registry, head: () => Promise.reject(new Error("away")) } });
    assertUntouched(second);
  });
});

describe("a message that is repeated, reordered or dropped", () => {
  test("changes nothing about what is live in the end", async () => {
    const world = new World();
    try {
      const boot = world.release();
      await world.append(boot.entry, world.assign(boot));
      const releases: Published[] = [];
      for (let i = 0; i < 6; i++) releases.push(await world.deploy(boot));
      const { entries } = await world.registry.read(channel, null, 1000);
      const newest = releases.at(-1)!;
      // A fixed shuffle: the same on every run.
      let seed = 1;
      const random = (): number => (seed = (seed * 48_271) % 0x7fff_ffff) / 0x7fff_ffff;
      for (let round = 0; round < 20; round++) {
        const feed = new HandFeed();
        const noHead: Registry = { ...world.registry, head: async () => null };
        const started = await runAgent(world, boot, { registry: noHead, follow: feed.follow, bootWaitMs: 1, isOwner: false });
        const mixed = [...entries, ...entries].filter((e) => e.kind === "assign" || random() < 0.7).sort(() => random() - 0.5);
        const last = mixed.findLastIndex((e) => e.kind === "assign" && e.id === entries.findLast((x) => x.kind === "assign")!.id);
        assert(last >= 0);
        for (const entry of mixed) await feed.give(entry);
        await started.outcome(7, "swapped");
        assert.equal(started.agent.live, newest.id);
        assert.equal(started.runtime.log.filter((l) => l === `commit ${newest.id}`).length, 1, "committed once");
        const committed = started.runtime.log.filter((l) => l.startsWith("commit"));
        const numbers = committed.map((l) => releases.findIndex((r) => l === `commit ${r.id}`));
        assert.deepEqual(numbers, numbers.toSorted((a, b) => a - b), "never goes back");
        started.stop();
      }
    } finally {
      world.close();
    }
  });
});

describe("a refusal by the runtime", () => {
  test("because code generation is off leaves the app untouched and is reported", async () => {
    const world = new World();
    const boot = world.release();
    await world.append(boot.entry, world.assign(boot));
    const runtime = new ScriptedRuntime();
    runtime.refuseStage = { code: "EVAL_DISALLOWED", reason: "code generation from strings is off", unit: null };
    const started = await runAgent(world, boot, { runtime });
    try {
      await world.deploy(boot);
      const { outcome } = await started.outcome(2, "refused");
      assert(outcome.kind === "refused");
      assert.equal(outcome.code, "EVAL_DISALLOWED");
      assert.equal(runtime.live, null);
    } finally {
      started.stop();
      world.close();
    }
  });
});

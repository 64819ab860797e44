import assert from "node:assert/strict";
import type { Beat, Report } from "@midflight/protocol";
import { sha256 } from "@midflight/trust";
import { expectRefusal } from "./expect-refusal.ts";
import { createFixture } from "./fixture.ts";
import { promise, type OpenHarness } from "./harness.ts";

export function processPromises(open: OpenHarness): void {
  promise(open, "reports are kept once each and come newest first, by release and counter when asked", async ({ registry }) => {
    const f = createFixture();
    const swapped: Report = f.report("3", {
      counter: 2, boot: sha256("b"),
      outcome: { kind: "swapped", release: sha256("s"), generation: 1, units: 1, bodies: 2, pauseMs: 0.4, live: sha256("t") },
    });
    await registry.report([f.report("1"), f.report("2")]);
    await registry.report([f.report("2", { counter: 9 }), swapped]);
    await registry.report([f.report("4", { channel: "shop/other" })]);
    await registry.report([]);
    const all = await registry.reports({ channel: f.channel });
    assert.deepEqual(all, [swapped, f.report("2"), f.report("1")]);
    assert.deepEqual(await registry.reports({ channel: f.channel, limit: 1 }), [swapped]);
    assert.deepEqual(await registry.reports({ channel: f.channel, release: sha256("s") }), [swapped]);
    assert.deepEqual(await registry.reports({ channel: f.channel, counter: 1 }), [f.report("2"), f.report("1")]);
    assert.deepEqual(await registry.reports({ channel: "shop/unheard-of" }), []);
  });

  promise(open, "a report that is none is refused together with all that came with it", async ({ registry }) => {
    const f = createFixture();
    await expectRefusal("OBJECT_INVALID", () => registry.report([f.report("1"), { ...f.report("2"), counter: -1 }]));
    await expectRefusal("OBJECT_TOO_LARGE", () => registry.report([f.report("1", { outcome: { kind: "refused", release: sha256("r"), code: "UNIT_SYNTAX", reason: "x".repeat(200_000), unit: null } })]));
    assert.deepEqual(await registry.reports({ channel: f.channel }), []);
  });

  promise(open, "a process is present until its time has passed, with its newest beat", async ({ registry, advance }) => {
    const f = createFixture();
    const [one, two] = [f.beat(), f.beat({ agent: "agent-2", pid: 8 })];
    await registry.beat(one, 1_000);
    await registry.beat(two, 3_000);
    await registry.beat(f.beat({ agent: "agent-3", channel: "shop/other" }), 3_000);
    const later: Beat = { ...two, state: "probation", live: sha256("r"), generation: 1 };
    await registry.beat(later, 3_000);
    const byAgent = async (): Promise<Beat[]> => (await registry.presence(f.channel)).toSorted((a, b) => a.agent.localeCompare(b.agent));
    assert.deepEqual(await byAgent(), [one, later]);
    await advance(1_500);
    assert.deepEqual(await byAgent(), [later]);
    await advance(2_000);
    assert.deepEqual(await byAgent(), []);
  });

  promise(open, "a beat that is none is refused", async ({ registry }) => {
    const f = createFixture();
    await expectRefusal("OBJECT_INVALID", () => registry.beat(f.beat({ pid: -1 }), 1_000));
    assert.deepEqual(await registry.presence(f.channel), []);
  });
}

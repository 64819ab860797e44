import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { createAssignStatement, type Assign, type ReleaseId } from "@midflight/protocol";
import { openMemoryRegistry } from "@midflight/registry";
import { createTrustRoot, generateSigningKey, signStatement, type SigningKey } from "@midflight/trust";
import { openFollowed } from "../src/rollout/followed.ts";

const channel = "demo/production";
const r1: ReleaseId = `sha256:${"1".repeat(64)}`;
const r2: ReleaseId = `sha256:${"2".repeat(64)}`;
const key = generateSigningKey();
const root = createTrustRoot("demo", [{ name: "development", key, roles: ["builder", "planner", "controller"] }]);

function assignOf(counter: number, release: ReleaseId, more: Partial<Assign> = {}): Assign {
  return { channel, epoch: 1, counter, release, number: 1, targets: { kind: "all" }, revertTo: [], cause: "deploy", by: "mira", why: null, issuedAt: "", expiresAt: null, ...more };
}

async function openLog(): Promise<{ readonly registry: ReturnType<typeof openMemoryRegistry>; readonly append: (assign: Assign, by?: SigningKey) => Promise<void> }> {
  const registry = openMemoryRegistry();
  return {
    registry,
    append: async (assign, by = key) => {
      const head = await registry.head(channel);
      const result = await registry.append({ channel, expect: head?.id ?? null, entries: [{ kind: "assign", ...signStatement(createAssignStatement(assign), by) }], needs: [] });
      assert.equal(result.kind, "appended");
    },
  };
}

const only = (name: string): Pick<Assign, "targets"> => ({ targets: { kind: "named", names: [name] } });

describe("what a process has to follow", () => {
  test("is the newest assign that speaks to it; one outside of a wave stays with the one before", async () => {
    const { registry, append } = await openLog();
    const followed = openFollowed(registry, channel, root);
    await followed.refresh();
    assert.deepEqual([followed.newest, followed.of("web-1")], [null, null]);
    await append(assignOf(1, r1));
    await append(assignOf(2, r2, only("web-1")));
    await followed.refresh();
    assert.deepEqual(["web-1", "web-1/4242", "web-1#2", "web-2"].map((name) => followed.of(name)?.assign.release), [r2, r2, r2, r1]);
    assert.deepEqual(followed.assigns.map(({ assign }) => assign.counter), [2, 1]);
    await append(assignOf(3, r1, { cause: "rollback" }));
    await followed.refresh();
    assert.deepEqual(["web-1", "web-2"].map((name) => followed.of(name)?.assign.counter), [3, 3]);
    assert.deepEqual(followed.assigns.map(({ assign }) => assign.counter), [3], "what nobody follows is forgotten");
  });

  test("is read the same at once and step by step, by however many at a time", async () => {
    const { registry, append } = await openLog();
    const step = openFollowed(registry, channel, root);
    for (const assign of [assignOf(1, r1), assignOf(2, r2, only("web-1")), assignOf(3, r2, only("web-2")), assignOf(4, r2, only("web-1"))]) {
      await append(assign);
      await Promise.all([step.refresh(), step.refresh(), step.refresh()]);
    }
    const once = openFollowed(registry, channel, root);
    await once.refresh();
    assert.deepEqual(step.assigns, once.assigns);
    assert.deepEqual(once.assigns.map(({ assign }) => assign.counter), [4, 3, 2, 1]);
  });

  test("is not what somebody signed whom the root does not name, nor what stands in the wrong channel", async () => {
    const { registry, append } = await openLog();
    await append(assignOf(1, r1));
    await append(assignOf(2, r2), generateSigningKey());
    await append(assignOf(3, r2, { channel: "demo/other" }));
    const followed = openFollowed(registry, channel, root);
    await followed.refresh();
    assert.equal(followed.newest?.assign.counter, 1);
  });
});

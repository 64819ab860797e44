import assert from "node:assert/strict";
import { describe, test, type TestContext } from "node:test";
import { appliesTo, type Assign, type Registry } from "@midflight/protocol";
import { openMemoryRegistry } from "@midflight/registry";
import { verifyAssign } from "@midflight/trust";
import type { ProceedOutcome, Publisher, Waves } from "../src/index.ts";
import { channel, createShop, priceOf, published, type Shop } from "./shop.ts";

const names = ["web-1", "web-2", "web-3", "web-4"];
const waves: Waves = { steps: ["1", "50%", "100%"], bakeMs: 1_000, names };

interface Begun {
  readonly registry: Registry;
  readonly shop: Shop;
  readonly before: string;
}

/** A shop whose second release is in its first wave. */
async function begin(t: TestContext): Promise<Begun> {
  const registry = openMemoryRegistry();
  const shop = createShop(t, registry);
  const first = published(await shop.save({}));
  shop.project.write(priceOf(3));
  const second = published(await shop.publisher.publish(await shop.collect(), { waves }));
  assert.deepEqual(second.wave, { rollout: 2, step: 0, steps: waves.steps, bakeMs: 1_000, before: first.release, mode: "going" });
  return { registry, shop, before: first.release };
}

async function head({ registry, shop }: Begun): Promise<{ readonly id: `sha256:${string}`; readonly assign: Assign }> {
  return verifyAssign((await registry.head(channel))?.envelope, shop.root);
}

const reached = ({ targets }: Assign): string[] => names.filter((name) => appliesTo(targets, name));

describe("a rollout in the log", () => {
  test("each step reaches those before it and more, the last one all, with the same release and way back", async (t) => {
    const begun = await begin(t);
    const seen: Assign[] = [(await head(begun)).assign];
    for (const action of ["next", "next"] as const) {
      const { id } = await head(begun);
      const outcome = await begun.shop.publisher.proceed({ expect: id, action, names, why: "it did well" });
      assert.equal(outcome.kind, "proceeded");
      seen.push((await head(begun)).assign);
    }
    assert.deepEqual(seen.map((assign) => reached(assign).length), [1, 2, 4]);
    assert.ok(reached(seen[0]!).every((name) => reached(seen[1]!).includes(name)));
    assert.deepEqual(seen.map(({ counter, wave }) => [counter, wave?.step]), [[2, 0], [3, 1], [4, 2]]);
    assert.deepEqual(new Set(seen.map(({ release }) => release)).size, 1);
    for (const { revertTo, cause } of seen) assert.deepEqual([revertTo, cause], [[begun.before], "deploy"]);
    assert.deepEqual(seen[2]!.targets, { kind: "all" });
    assert.deepEqual(await begun.shop.publisher.proceed({ expect: (await head(begun)).id, action: "next", names, why: "" }), { kind: "none" });
  });

  test("of two that would go on from the same wave, one does", async (t) => {
    const begun = await begin(t);
    const { id } = await head(begun);
    const others: Publisher[] = [begun.shop.publisher, begun.shop.again(), begun.shop.again()];
    const outcomes: ProceedOutcome[] = await Promise.all(others.map((one, i) => one.proceed({ expect: id, action: i === 0 ? "pause" : "next", names, why: String(i) })));
    assert.deepEqual(outcomes.map(({ kind }) => kind).sort(), ["moved", "moved", "proceeded"]);
    assert.equal((await head(begun)).assign.counter, 3);
  });

  test("a pause changes nothing for anybody; what follows it is the next step", async (t) => {
    const begun = await begin(t);
    const before = await head(begun);
    await begun.shop.publisher.proceed({ expect: before.id, action: "pause", names, why: "lunch" });
    const paused = await head(begun);
    assert.deepEqual([paused.assign.targets, paused.assign.release, paused.assign.wave], [before.assign.targets, before.assign.release, { ...before.assign.wave, mode: "paused" }]);
    await begun.shop.publisher.proceed({ expect: paused.id, action: "next", names, why: "" });
    assert.deepEqual([(await head(begun)).assign.wave?.step, (await head(begun)).assign.wave?.mode], [1, "going"]);
  });

  test("no wave loses a process, also when others have left the fleet", async (t) => {
    const begun = await begin(t);
    const before = await head(begun);
    const [first] = reached(before.assign);
    // Only one is left that is there, and it comes before the first by its hash.
    const newcomer = Array.from({ length: 200 }, (_, i) => `web-${i + 5}`).find((name) => appliesTo(before.assign.targets, name))!;
    await begun.shop.publisher.proceed({ expect: before.id, action: "next", names: [newcomer], why: "" });
    assert.ok(reached((await head(begun)).assign).includes(first!));
  });

  test("until its last step no other release begins, by whatever publisher; a roll-back does, to all", async (t) => {
    const begun = await begin(t);
    const { shop, before } = begun;
    shop.project.write(priceOf(4));
    const tree = await shop.collect();
    for (const publisher of [shop.publisher, shop.again()]) {
      const refused = await publisher.publish(tree, { waves });
      assert.equal(refused.kind === "refused" && refused.code, "ROLLOUT_IN_PROGRESS");
      const again = await publisher.assign(before as `sha256:${string}`);
      assert.equal(again.kind === "refused" && again.code, "ROLLOUT_IN_PROGRESS");
    }
    const back = published(await shop.again().rollback());
    assert.equal(back.release, before);
    const { assign } = await head(begun);
    assert.deepEqual([assign.targets, assign.wave, assign.cause, assign.counter], [{ kind: "all" }, undefined, "rollback", 3]);
    published(await shop.publisher.publish(tree, { waves }));
  });

  test("who planned before a rollout began learns that one goes on, not that the plan is stale", async (t) => {
    const registry = openMemoryRegistry();
    const shop = createShop(t, registry);
    published(await shop.save({}));
    shop.project.write(priceOf(4));
    const plan = await shop.publisher.plan(await shop.collect());
    shop.project.write(priceOf(3));
    published(await shop.again().publish(await shop.collect(), { waves }));
    const refused = await shop.publisher.publish(plan, { waves });
    assert.equal(refused.kind === "refused" && refused.code, "ROLLOUT_IN_PROGRESS");
  });

  test("what was decided on one wave does not take back what came after it", async (t) => {
    const begun = await begin(t);
    const { id } = await head(begun);
    await begun.shop.publisher.proceed({ expect: id, action: "next", names, why: "" });
    const late = await begun.shop.publisher.rollback({ expect: id, maxRung: "replace" });
    assert.equal(late.kind === "refused" && late.code, "CHANNEL_HEAD_MOVED");
    assert.equal((await head(begun)).assign.counter, 3);
  });

  test("of those who take the same release back at the same time one does, and the release before it stays", async (t) => {
    const registry = openMemoryRegistry();
    const shop = createShop(t, registry);
    published(await shop.save({}));
    const second = published(await shop.save(priceOf(3)));
    shop.project.write(priceOf(4));
    published(await shop.publisher.publish(await shop.collect(), { waves }));
    const begun: Begun = { registry, shop, before: second.release };
    const { id } = await head(begun);
    const outcomes = await Promise.all([shop.publisher, shop.publisher, shop.again()].map((one) => one.rollback({ expect: id, maxRung: "replace" })));
    assert.deepEqual(outcomes.map(({ kind }) => kind).sort(), ["published", "refused", "refused"]);
    assert.equal((await head(begun)).assign.release, second.release);
  });

  test("the first release of a channel has nothing to be tried out beside, and one step is no rollout", async (t) => {
    const registry = openMemoryRegistry();
    const shop = createShop(t, registry);
    assert.equal(published(await shop.publisher.publish(await shop.collect(), { waves })).wave, null);
    shop.project.write(priceOf(3));
    assert.equal(published(await shop.publisher.publish(await shop.collect(), { waves: { ...waves, steps: ["100%"] } })).wave, null);
  });
});

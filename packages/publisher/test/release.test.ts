import assert from "node:assert/strict";
import { test } from "node:test";
import { isMidflightError, type LogEntry, type Registry } from "@midflight/protocol";
import { openMemoryRegistry } from "@midflight/registry";
import { verifyRelease } from "@midflight/trust";
import { readTree } from "../src/read-tree.ts";
import { bootAgent, channel, createShop, priceOf, published, taxOf, type Shop } from "./shop.ts";

async function logOf(registry: Registry): Promise<readonly LogEntry[]> {
  return (await registry.read(channel, null, 1_000)).entries;
}

/** Numbers of all releases, in the order of the log. */
async function numbersOf(registry: Registry, shop: Shop): Promise<number[]> {
  return (await logOf(registry)).filter((e) => e.kind === "release").map((e) => verifyRelease(e.envelope, shop.root).release.number);
}

test("a release without an assign is one signed entry, whole in the registry, and leaves live what is live", async (t) => {
  const registry = openMemoryRegistry();
  const shop = createShop(t, registry);
  published(await shop.save({}));
  const head = await registry.head(channel);
  shop.project.write(priceOf(3));
  const tree = await shop.collect();
  const made = await shop.publisher.release(tree, { meta: { image: "web:7" } });
  assert.deepEqual([made.kind, made.number], ["released", 2]);
  const log = await logOf(registry);
  assert.deepEqual(log.map((e) => e.kind), ["release", "assign", "release"]);
  const { id, release } = verifyRelease(log[2]?.envelope, shop.root);
  assert.deepEqual([id, release.number, release.tree, release.lock, { ...release.provenance.meta }], [made.release, 2, tree.root, tree.lock, { image: "web:7" }]);
  const { files } = await readTree(registry, release.tree);
  const digests = [...files.values()].flatMap((e) => (e.kind === "unit" ? [e.source, e.artifact] : [e.digest]));
  assert.deepEqual(await registry.missing(digests), []);
  assert.deepEqual(await registry.head(channel), head);
});

test("a tree that the log has a release of gets no other one: the live one is used, or else the newest", async (t) => {
  const registry = openMemoryRegistry();
  const shop = createShop(t, registry);
  const first = published(await shop.save({}));
  assert.deepEqual(await shop.publisher.release(await shop.collect()), { kind: "known", release: first.release, number: 1 });
  shop.project.write(priceOf(3));
  const made = await shop.publisher.release(await shop.collect(), { meta: { build: "1" } });
  const before = (await logOf(registry)).length;
  const known = { kind: "known", release: made.release, number: 2 };
  assert.deepEqual(await shop.publisher.release(await shop.collect(), { meta: { build: "2" } }), known);
  assert.deepEqual(await shop.again().release(await shop.collect()), known, "also by a publisher that has nothing in memory");
  assert.equal((await logOf(registry)).length, before);
  const third = published(await shop.publisher.publish(await shop.collect()));
  assert.equal(third.number, 3);
  assert.deepEqual(await shop.publisher.release(await shop.collect()), { kind: "known", release: third.release, number: 3 });
  published(await shop.publisher.assign(2));
  assert.deepEqual(await shop.publisher.release(await shop.collect()), known, "the live one, though another is newer");
});

test("other dependencies make another release of the same files", async (t) => {
  const registry = openMemoryRegistry();
  const shop = createShop(t, registry);
  published(await shop.save({}));
  shop.project.write({ "package-lock.json": '{"lockfileVersion":3}' });
  assert.deepEqual(await shop.publisher.release(await shop.collect()).then(({ kind, number }) => [kind, number]), ["released", 2]);
});

test("releases and deploys of several publishers at once all get numbers of their own", async (t) => {
  const registry = openMemoryRegistry();
  const shop = createShop(t, registry);
  published(await shop.save({}));
  const trees = [];
  for (const change of [priceOf(3), priceOf(4), taxOf(0.5), taxOf(0.6)]) {
    shop.project.write(change);
    trees.push(await shop.collect());
  }
  const [a, b, c, d] = trees as [(typeof trees)[0], (typeof trees)[0], (typeof trees)[0], (typeof trees)[0]];
  await Promise.all([shop.publisher.release(a), shop.again().release(b), shop.again().publish(c), shop.again().publish(d)]);
  assert.deepEqual(await numbersOf(registry, shop), [1, 2, 3, 4, 5]);
});

test("a release that is not live is deployed later as it is, from its number", async (t) => {
  const registry = openMemoryRegistry();
  const shop = createShop(t, registry);
  const first = published(await shop.save({}));
  await bootAgent(registry, first.release);
  shop.project.write(priceOf(3));
  const made = await shop.publisher.release(await shop.collect());
  await bootAgent(registry, made.release, "image-1");
  const live = published(await shop.again().assign(2));
  assert.deepEqual([live.release, live.rung], [made.release, "patch"]);
  assert.deepEqual(live.transitions.filter(({ to }) => to === made.release).map(({ from }) => from).sort(), [first.release, made.release].sort());
});

test("who is overtaken each time says so, and leaves nothing in the log", async (t) => {
  const registry = openMemoryRegistry();
  const shop = createShop(t, registry);
  published(await shop.save({}));
  const moving: Registry = { ...registry, append: async () => ({ kind: "head-moved", head: null }) };
  shop.project.write(priceOf(9));
  await assert.rejects(shop.again(moving).release(await shop.collect()), (e) => isMidflightError(e) && e.code === "CHANNEL_HEAD_MOVED");
  assert.equal((await logOf(registry)).length, 2);
});

test("a release that the log has lost is found by the number that an assign gives it, and numbers go on", async (t) => {
  const registry = openMemoryRegistry();
  const shop = createShop(t, registry);
  const first = published(await shop.save({}));
  for (const cents of [3, 4, 5]) published(await shop.save(priceOf(cents)));
  published(await shop.publisher.assign(1));
  await registry.retain({ keepReleases: 1 });
  assert.deepEqual(await numbersOf(registry, shop), [4]);
  const publisher = shop.again();
  assert.equal(published(await publisher.assign(4)).number, 4);
  assert.equal(published(await publisher.assign(1)).release, first.release);
  shop.project.write(priceOf(6));
  assert.equal(published(await publisher.publish(await shop.collect())).number, 5);
});

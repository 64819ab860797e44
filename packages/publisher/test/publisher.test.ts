import assert from "node:assert/strict";
import { test } from "node:test";
import { isMidflightError, maxEnclosedBytes, parseUnitOps, type Digest, type LogEntry, type Registry, type Release, type ReleaseId, type Transition } from "@midflight/protocol";
import { openMemoryRegistry } from "@midflight/registry";
import { verifyAssign, verifyRelease, verifyTransition } from "@midflight/trust";
import { readTree } from "../src/read-tree.ts";
import { bootAgent, channel, createShop, priceOf, published, taxOf, type Shop } from "./shop.ts";

async function logOf(registry: Registry): Promise<readonly LogEntry[]> {
  return (await registry.read(channel, null, 1_000)).entries;
}

async function transitionOf(registry: Registry, shop: Shop, from: ReleaseId, to: ReleaseId): Promise<Transition> {
  const entry = await registry.transition(from, to);
  assert.ok(entry !== null, "there is a transition");
  return verifyTransition(entry.envelope, shop.root).transition;
}

async function releaseOf(registry: Registry, shop: Shop, id: ReleaseId): Promise<Release> {
  return verifyRelease((await registry.entry(id))?.envelope, shop.root).release;
}

test("the first release is assigned, verifies, and every blob that it leads to is stored", async (t) => {
  const registry = openMemoryRegistry();
  const shop = createShop(t, registry);
  const first = published(await shop.save({}));
  assert.equal(first.number, 1);
  assert.deepEqual((await logOf(registry)).map((entry) => entry.kind), ["release", "assign"]);
  const { assign } = verifyAssign((await registry.head(channel))?.envelope, shop.root);
  assert.deepEqual(
    { channel: assign.channel, counter: assign.counter, release: assign.release, number: assign.number, revertTo: assign.revertTo, cause: assign.cause, by: assign.by, targets: assign.targets },
    { channel, counter: 1, release: first.release, number: 1, revertTo: [], cause: "deploy", by: "ada", targets: { kind: "all" } },
  );
  const release = await releaseOf(registry, shop, first.release);
  const { files } = await readTree(registry, release.tree);
  assert.deepEqual([...files.keys()], ["package.json", "src/price.js", "src/server.js", "src/tax.js"]);
  const digests = [...files.values()].flatMap((e): Digest[] => (e.kind === "unit" ? [e.source, e.artifact] : [e.digest]));
  assert.deepEqual(await registry.missing(digests), []);
});

test("a changed body is one append: release, ways there and back, assign", async (t) => {
  const registry = openMemoryRegistry();
  const shop = createShop(t, registry);
  const first = published(await shop.save({}));
  await bootAgent(registry, first.release);
  const second = published(await shop.save(priceOf(3)));
  assert.equal(second.rung, "patch");
  assert.deepEqual(second.verdicts.map((v) => v.unit), ["src/price.js"]);
  const added = (await logOf(registry)).slice(2);
  assert.deepEqual(added.map((e) => e.kind), ["release", "transition", "transition", "assign"]);
  const there = await transitionOf(registry, shop, first.release, second.release);
  assert.deepEqual(there.units.map((u) => u.unit), ["src/price.js"]);
  const { files } = await readTree(registry, (await releaseOf(registry, shop, second.release)).tree);
  const target = files.get("src/price.js");
  assert.equal(there.units[0]?.artifact, target?.kind === "unit" && target.artifact);
  const ops = await registry.getBlobs(there.units.map((u) => u.ops));
  assert.equal(parseUnitOps(JSON.parse(Buffer.from(ops[0]?.bytes ?? []).toString())).unit, "src/price.js");
  assert.equal(there.directories?.length, 2, "the root and src");
  assert.deepEqual(await registry.missing(there.directories), []);
  await transitionOf(registry, shop, first.release, first.release);
  await shop.publisher.prepare();
  assert.equal((await transitionOf(registry, shop, second.release, first.release)).rung, "patch", "and for those that start from the new one");
  const { assign } = verifyAssign((await registry.head(channel))?.envelope, shop.root);
  assert.deepEqual([assign.counter, assign.number, assign.revertTo], [2, 2, [first.release]]);
});

test("what is small travels inside of its append; what is too large for that is stored before it, in one request", async (t) => {
  const registry = openMemoryRegistry();
  const calls: string[] = [];
  const told: Registry = {
    ...registry,
    putBlobs: (blobs) => (calls.push("putBlobs"), registry.putBlobs(blobs)),
    append: (request) => (calls.push(`append of ${request.enclosed === undefined ? "none" : "all"}`), registry.append(request)),
  };
  const shop = createShop(t, told);
  published(await shop.save({}));
  published(await shop.save(priceOf(3)));
  assert.deepEqual(calls.splice(0), ["append of all", "append of all"]);
  const large = published(await shop.save({ "src/price.js": `${"// large\n".repeat(maxEnclosedBytes / 9)}${priceOf(4)["src/price.js"]}` }));
  assert.deepEqual(calls.splice(0), ["putBlobs", "append of none"]);
  assert.equal((await readTree(registry, (await releaseOf(registry, shop, large.release)).tree)).files.size, 4);
});

test("unchanged content publishes nothing, whatever the files' times", async (t) => {
  const registry = openMemoryRegistry();
  const shop = createShop(t, registry);
  const first = published(await shop.save({}));
  const before = (await logOf(registry)).length;
  assert.deepEqual(await shop.save(priceOf(2)), { kind: "unchanged", release: first.release, number: 1 });
  assert.deepEqual(await shop.again().publish(await shop.collect()), { kind: "unchanged", release: first.release, number: 1 });
  assert.equal((await logOf(registry)).length, before);
});

test("a plan has no effect, and is refused once the channel moved on", async (t) => {
  const registry = openMemoryRegistry();
  const shop = createShop(t, registry);
  published(await shop.save({}));
  const before = (await logOf(registry)).length;
  shop.project.write(priceOf(3));
  const plan = await shop.publisher.plan(await shop.collect());
  assert.equal(plan.rung, "patch");
  assert.equal(plan.isUnchanged, false);
  assert.equal((await logOf(registry)).length, before);
  published(await shop.save(priceOf(4)));
  const outcome = await shop.publisher.publish(plan);
  assert.equal(outcome.kind === "refused" && outcome.code, "PLAN_STALE");
  const fresh = await shop.publisher.plan(plan.tree);
  assert.equal(published(await shop.publisher.publish(fresh)).number, 3);
});

test("what would need a new process is refused with its reason, unless allowed", async (t) => {
  const registry = openMemoryRegistry();
  const shop = createShop(t, registry);
  const first = published(await shop.save({}));
  await bootAgent(registry, first.release);
  shop.project.write({ "package.json": '{"type":"module","name":"x"}' });
  const tree = await shop.collect();
  const refused = await shop.publisher.publish(tree);
  assert.ok(refused.kind === "refused");
  assert.equal(refused.code, "REPLACE_NEEDED");
  assert.match(refused.reason, /package\.json/);
  assert.equal((await logOf(registry)).length, 2);
  const second = published(await shop.publisher.publish(tree, { maxRung: "replace" }));
  const there = await transitionOf(registry, shop, first.release, second.release);
  assert.deepEqual([there.rung, there.units.length], ["replace", 0]);
  shop.project.write({ ...priceOf(7), "src/new.js": "export const x = 1;\n", "src/server.js": 'import { price } from "./price.js";\nimport { x } from "./new.js";\nexport function handle(n) {\n  return price(n) + x;\n}\n' });
  const high = await shop.publisher.publish(await shop.collect(), { maxRung: "patch" });
  assert.equal(high.kind === "refused" && high.code, high.kind === "refused" && high.rung === "replace" ? "REPLACE_NEEDED" : "RUNG_TOO_HIGH");
});

test("each boot release that is alive gets its own ways; others do not", async (t) => {
  const registry = openMemoryRegistry();
  const shop = createShop(t, registry);
  const first = published(await shop.save({}));
  await bootAgent(registry, first.release, "web-1");
  const second = published(await shop.save(priceOf(3)));
  await bootAgent(registry, second.release, "web-2");
  await bootAgent(registry, null, "web-3");
  const third = published(await shop.save(taxOf(0.3)));
  const ways = third.transitions.map(({ from, to }) => `${from}>${to}`).sort();
  assert.deepEqual(ways, [
    `${first.release}>${third.release}`, `${second.release}>${third.release}`,
    `${first.release}>${second.release}`, `${second.release}>${second.release}`,
  ].sort());
  const there = await transitionOf(registry, shop, first.release, third.release);
  assert.deepEqual(there.units.map((u) => u.unit), ["src/price.js", "src/tax.js"], "always from the boot shape");
  assert.deepEqual(third.verdicts.map((v) => v.unit), ["src/tax.js"], "but told of what is new only");
});

test("a unit that changed before is told by what changes now", async (t) => {
  const registry = openMemoryRegistry();
  const shop = createShop(t, registry);
  const first = published(await shop.save({}));
  await bootAgent(registry, first.release);
  const added = "export function price(n) {\n  return n * 2;\n}\nexport function twice(n) {\n  return n + n;\n}\n";
  published(await shop.save({ "src/price.js": added }));
  const told = async (text: string): Promise<unknown> => published(await shop.save({ "src/price.js": text })).verdicts.map(({ rung, reason }) => [rung, reason]);
  assert.deepEqual(await told(added.replace("n + n", "2 * n")), [["redefine", "twice(): only the body changed; since the start also: new function twice()"]]);
  assert.deepEqual(await told(`// Prices.\n${added.replace("n + n", "2 * n")}`), [["redefine", "since the start: new function twice()"]]);
  const tax = published(await shop.save(taxOf(0.4))).verdicts;
  assert.deepEqual(tax.map(({ unit, reason }) => [unit, reason]), [["src/price.js", "since the start: new function twice()"], ["src/tax.js", "tax(): only the body changed"]]);
  assert.deepEqual(await told(added.replace("function twice", "function double")), [["redefine", "new function double(); function twice removed"]]);
});

test("a change that is taken back is told as that, and what was changed before is not told again", async (t) => {
  const registry = openMemoryRegistry();
  const shop = createShop(t, registry);
  const first = published(await shop.save({}));
  await bootAgent(registry, first.release);
  published(await shop.save({ ...priceOf(3), ...taxOf(0.3) }));
  const third = published(await shop.save(priceOf(2)));
  assert.deepEqual(third.verdicts.map(({ unit, rung, reason }) => [unit, rung, reason]), [["src/price.js", "patch", "it is again what the processes started with"]]);
  assert.equal(third.rung, "patch");
});

test("a publisher that starts anew plans the same ways from what the registry holds", async (t) => {
  const registry = openMemoryRegistry();
  const shop = createShop(t, registry);
  const first = published(await shop.save({}));
  await bootAgent(registry, first.release);
  published(await shop.save(priceOf(3)));
  shop.project.write(taxOf(0.5));
  const third = published(await shop.again().publish(await shop.collect()));
  assert.equal(third.number, 3);
  assert.deepEqual((await transitionOf(registry, shop, first.release, third.release)).units.map((u) => u.unit), ["src/price.js", "src/tax.js"]);
});

test("roll-back goes to what was live before, further back each time, and never forward", async (t) => {
  const registry = openMemoryRegistry();
  const shop = createShop(t, registry);
  const first = published(await shop.save({}));
  await bootAgent(registry, first.release);
  const second = published(await shop.save(priceOf(3)));
  const third = published(await shop.save(taxOf(0.4)));
  const back = published(await shop.publisher.rollback({ why: "wrong tax" }));
  assert.equal(back.release, second.release);
  const { assign } = verifyAssign((await registry.head(channel))?.envelope, shop.root);
  assert.deepEqual([assign.cause, assign.counter, assign.number, assign.revertTo, assign.why], ["rollback", 4, 2, [first.release], "wrong tax"]);
  assert.equal(published(await shop.publisher.rollback()).release, first.release);
  const end = await shop.publisher.rollback();
  assert.equal(end.kind === "refused" && end.code, "ROLLBACK_NOTHING");
  assert.equal(published(await shop.publisher.assign(3)).release, third.release);
  assert.equal(published(await shop.publisher.rollback({ to: 2 })).release, second.release);
  assert.equal((await shop.publisher.assign(2)).kind, "unchanged");
  assert.equal(published(await shop.publisher.assign(2, { cause: "retry" })).release, second.release);
  await assert.rejects(shop.publisher.assign(99), (e) => isMidflightError(e) && e.code === "RELEASE_UNKNOWN");
});

test("a way back that was planned before another unit was touched is planned anew", async (t) => {
  const registry = openMemoryRegistry();
  const shop = createShop(t, registry);
  // A closure born under an overlay lives on: the way back has to name its unit.
  const nested = (n: number): Record<string, string> => ({ "src/tax.js": `export function make() {\n  return { run: () => ${n} };\n}\n` });
  const first = published(await shop.save(nested(1)));
  await bootAgent(registry, first.release);
  published(await shop.save(priceOf(3)));
  const before = (await transitionOf(registry, shop, first.release, first.release)).units.map((u) => u.unit);
  assert.equal(before.includes("src/tax.js"), false);
  published(await shop.save(nested(2)));
  published(await shop.publisher.rollback({ to: 1 }));
  const after = (await transitionOf(registry, shop, first.release, first.release)).units.map((u) => u.unit);
  assert.equal(after.includes("src/tax.js"), true);
});

test("of two publishers both succeed, one after the other, with different numbers", async (t) => {
  const registry = openMemoryRegistry();
  const shop = createShop(t, registry);
  const first = published(await shop.save({}));
  const other = shop.again();
  const treeA = await shop.collect();
  shop.project.write(priceOf(5));
  const treeB = await shop.collect();
  shop.project.write(taxOf(0.6));
  const treeC = await shop.collect();
  assert.equal(treeA.root, (await releaseOf(registry, shop, first.release)).tree);
  const [b, c] = (await Promise.all([shop.publisher.publish(treeB), other.publish(treeC)])).map(published);
  assert.deepEqual(new Set([b?.number, c?.number]), new Set([2, 3]));
  const assigns = (await logOf(registry)).filter((e) => e.kind === "assign").map((e) => verifyAssign(e.envelope, shop.root).assign);
  assert.deepEqual(assigns.map((a) => a.counter), [1, 2, 3]);
  assert.deepEqual(assigns.map((a) => a.number), [1, 2, 3]);
});

test("a publisher that is overtaken each time says so, and leaves nothing in the log", async (t) => {
  const registry = openMemoryRegistry();
  const shop = createShop(t, registry);
  published(await shop.save({}));
  const moving: Registry = { ...registry, append: async () => ({ kind: "head-moved", head: null }) };
  shop.project.write(priceOf(9));
  const outcome = await shop.again(moving).publish(await shop.collect());
  assert.equal(outcome.kind === "refused" && outcome.code, "CHANNEL_HEAD_MOVED");
  assert.equal((await logOf(registry)).length, 2);
});

test("an answer that was lost on the way is not published twice", async (t) => {
  const registry = openMemoryRegistry();
  const shop = createShop(t, registry);
  published(await shop.save({}));
  let calls = 0;
  const { MidflightError } = await import("@midflight/protocol");
  const lossy: Registry = {
    ...registry,
    append: async (request) => {
      const result = await registry.append(request);
      calls += 1;
      if (calls === 1) throw new MidflightError("REGISTRY_UNREACHABLE", { what: "gone", retryable: true });
      return result;
    },
  };
  shop.project.write(priceOf(9));
  const second = published(await shop.again(lossy).publish(await shop.collect()));
  assert.equal(second.number, 2);
  assert.deepEqual((await logOf(registry)).map((e) => e.kind).filter((kind) => kind === "assign").length, 2);
});

test("ensureTransition adds a way that is not there, once", async (t) => {
  const registry = openMemoryRegistry();
  const shop = createShop(t, registry);
  const first = published(await shop.save({}));
  published(await shop.save(priceOf(3)));
  const third = published(await shop.save(taxOf(0.4)));
  assert.equal(await registry.transition(first.release, third.release), null, "nobody runs on the first release");
  const publisher = shop.again();
  await publisher.ensureTransition(first.release, third.release);
  assert.deepEqual((await transitionOf(registry, shop, first.release, third.release)).units.map((u) => u.unit), ["src/price.js", "src/tax.js"]);
  const length = (await logOf(registry)).length;
  await publisher.ensureTransition(first.release, third.release);
  assert.equal((await logOf(registry)).length, length);
  await assert.rejects(publisher.ensureTransition(`sha256:${"0".repeat(64)}`, third.release), (e) => isMidflightError(e) && e.code === "RELEASE_UNKNOWN");
});

test("what nobody signed whom the root names does not count as live", async (t) => {
  const registry = openMemoryRegistry();
  const shop = createShop(t, registry);
  const stranger = createShop(t, registry);
  published(await stranger.save(priceOf(100)));
  const first = published(await shop.save({}));
  assert.equal(first.before, null);
  assert.equal(first.number, 1);
});

test("a file over the registry's limit is refused by name of the limit", async (t) => {
  const registry = openMemoryRegistry();
  const small: Registry = { ...registry, caps: { durability: "memory", maxBlobBytes: 100_000 } };
  const shop = createShop(t, small);
  await assert.rejects(shop.save({ "src/big.json": `"${"x".repeat(200_000)}"` }), (e) => isMidflightError(e) && e.code === "OBJECT_TOO_LARGE" && e.facts.what.includes("100000"));
  assert.deepEqual(await logOf(registry), []);
});

test("what was looked at ahead is not looked at again, and a deploy by somebody else meanwhile is met by the compare-and-set", async (t) => {
  const store = openMemoryRegistry();
  let looks = 0;
  const registry: Registry = {
    ...store,
    presence: (of) => {
      looks += 1;
      return store.presence(of);
    },
  };
  const shop = createShop(t, registry);
  const first = published(await shop.save({}));
  looks = 0;
  shop.publisher.lookAhead();
  const second = published(await shop.save(priceOf(3)));
  assert.equal(looks, 1);
  shop.publisher.lookAhead();
  // In turn: when this is done, so is that.
  await shop.publisher.prepare();
  published(await shop.again(store).rollback());
  const third = published(await shop.save(priceOf(4)));
  assert.equal(looks, 3, "ahead, and again once overtaken");
  assert.deepEqual([second.before, third.before, third.number], [first.release, first.release, 3]);
});

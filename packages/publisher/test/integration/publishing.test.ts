import assert from "node:assert/strict";
import { once } from "node:events";
import { createServer } from "node:net";
import path from "node:path";
import { test, type TestContext } from "node:test";
import { isMidflightError, type Digest, type LogEntry, type Registry } from "@midflight/protocol";
import { openRegistry, serveRegistry } from "@midflight/registry";
import { connectRegistry } from "@midflight/registry-client";
import { verifyAssign, verifyRelease, verifyTransition } from "@midflight/trust";
import { lockPublisher, watchDirectory } from "../../src/index.ts";
import { readTree } from "../../src/read-tree.ts";
import { spawnFixture } from "../child.ts";
import { createProject, takeBatches } from "../project.ts";
import { bootAgent, channel, createShop, files, priceOf, published, taxOf, type Shop } from "../shop.ts";
import { mountSmallDisk } from "../small-disk.ts";

async function serve(t: TestContext): Promise<Registry> {
  const registry = openRegistry({ path: path.join(createProject(t).dir, "registry.db") });
  const server = await serveRegistry(registry, { port: 0, tokens: { token: ["publisher", "agent", "reader"] } });
  const client = connectRegistry({ url: server.url, token: "token", keepsProcessAlive: true });
  t.after(async () => {
    await client.close();
    await server.close();
    await registry.close();
  });
  return client;
}

async function freePort(): Promise<number> {
  const server = createServer().listen(0, "127.0.0.1");
  await once(server, "listening");
  const address = server.address();
  server.close();
  await once(server, "close");
  return typeof address === "object" && address !== null ? address.port : 0;
}

/** Proves that the log is whole: counters without holes, and everything that an entry leads to is stored. */
async function checkLog(registry: Registry, shop: Shop): Promise<readonly LogEntry[]> {
  const { entries } = await registry.read(channel, null, 1_000);
  const assigns = entries.filter((e) => e.kind === "assign").map((e) => verifyAssign(e.envelope, shop.root).assign);
  assert.deepEqual(assigns.map((a) => a.counter), assigns.map((_, at) => at + 1));
  const numbers = entries.filter((e) => e.kind === "release").map((e) => verifyRelease(e.envelope, shop.root).release.number);
  assert.deepEqual(numbers, numbers.map((_, at) => at + 1));
  const needs = new Set<Digest>();
  for (const entry of entries) {
    if (entry.kind === "transition") for (const unit of verifyTransition(entry.envelope, shop.root).transition.units) needs.add(unit.ops).add(unit.artifact);
    if (entry.kind !== "release") continue;
    const { files } = await readTree(registry, verifyRelease(entry.envelope, shop.root).release.tree);
    for (const file of files.values()) for (const digest of file.kind === "unit" ? [file.source, file.artifact] : [file.digest]) needs.add(digest);
  }
  assert.deepEqual(await registry.missing([...needs]), []);
  return entries;
}

test("a saved file goes from the watch over HTTP into the log", async (t) => {
  const registry = await serve(t);
  const shop = createShop(t, registry);
  const batches = takeBatches(t, watchDirectory({ projectDir: shop.project.dir, code: ["src"], marker: "src/.midflight-done" }));
  const first = published(await shop.publisher.publish(await shop.collector.collect(await batches.next())));
  await bootAgent(registry, first.release);
  for (let n = 3; n < 6; n++) {
    shop.project.write({ ...priceOf(n), "src/.midflight-done": "" });
    const outcome = published(await shop.publisher.publish(await shop.collector.collect(await batches.next())));
    assert.deepEqual([outcome.number, outcome.rung], [n - 1, "patch"]);
  }
  await checkLog(registry, shop);
});

test("a tree that is not whole stops at the collector; the next one is published as if it had not been", async (t) => {
  const registry = await serve(t);
  const shop = createShop(t, registry);
  published(await shop.save({}));
  for (const [broken, code] of [
    [priceOf("("), "UNIT_SYNTAX"],
    [{ ...priceOf(2), "src/server.js": 'import "./gone.js";\n' }, "BUILD_UNRESOLVED_IMPORT"],
  ] as const) {
    await assert.rejects(shop.save(broken), (e) => isMidflightError(e) && e.code === code);
  }
  shop.project.remove("src/server.js");
  await assert.rejects(shop.save({}), (e) => isMidflightError(e) && e.code === "ENTRY_MISSING");
  assert.equal((await checkLog(registry, shop)).length, 2);
  assert.equal(published(await shop.save({ "src/server.js": files["src/server.js"], ...priceOf(3) })).number, 2);
});

test("a registry that is killed again and again loses no release, doubles none, and holds none by halves", async (t) => {
  const file = path.join(createProject(t).dir, "registry.db");
  const port = await freePort();
  let server = await spawnFixture(t, "serve", [file, String(port)]);
  const registry = connectRegistry({ url: `http://127.0.0.1:${port}`, token: "token", keepsProcessAlive: true });
  t.after(() => registry.close());
  const shop = createShop(t, registry, { retryMs: 20_000 });
  const first = published(await shop.save({}));
  await bootAgent(registry, first.release);
  for (let round = 2; round <= 7; round++) {
    shop.project.write({ ...priceOf(round), ...taxOf(round) });
    const tree = await shop.collect();
    const publishing = shop.publisher.publish(tree);
    await new Promise((resolve) => setTimeout(resolve, Math.random() * 12));
    await server.kill();
    server = await spawnFixture(t, "serve", [file, String(port)]);
    assert.equal(published(await publishing).number, round);
  }
  const entries = await checkLog(registry, shop);
  assert.equal(entries.filter((e) => e.kind === "assign").length, 7);
});

test("a registry that stays away is a clear error, and nothing of the release is in the log", async (t) => {
  const file = path.join(createProject(t).dir, "registry.db");
  const port = await freePort();
  const server = await spawnFixture(t, "serve", [file, String(port)]);
  const registry = connectRegistry({ url: `http://127.0.0.1:${port}`, token: "token", keepsProcessAlive: true });
  t.after(() => registry.close());
  const shop = createShop(t, registry, { retryMs: 100 });
  published(await shop.save({}));
  await server.kill();
  await assert.rejects(shop.save(priceOf(3)), (e) => isMidflightError(e) && e.code === "REGISTRY_UNREACHABLE");
  await spawnFixture(t, "serve", [file, String(port)]);
  assert.equal((await checkLog(registry, shop)).length, 2);
  assert.equal(published(await shop.save({})).number, 2);
});

test("a registry without room refuses the release as a whole, and takes it when there is room", async (t) => {
  const disk = createProject(t).dir;
  const small = mountSmallDisk(disk);
  let isFull = true;
  const opened = openRegistry({ path: path.join(disk, "registry.db") });
  const { MidflightError } = await import("@midflight/protocol");
  // Who may not mount a disk meets the registry's own answer.
  const registry: Registry = small !== null ? opened : { ...opened, putBlobs: (blobs) => (isFull ? Promise.reject(new MidflightError("DISK_FULL", "The disk is full.")) : opened.putBlobs(blobs)) };
  try {
    const shop = createShop(t, registry);
    const big = { "src/data.json": JSON.stringify(Array.from({ length: 60_000 }, (_, i) => i).join(" ").slice(0, 350_000) + "x".repeat(200_000)) };
    await assert.rejects(shop.save(big), (e) => isMidflightError(e) && e.code === "DISK_FULL");
    assert.deepEqual((await registry.read(channel, null, 10)).entries, []);
    small?.makeRoom();
    isFull = false;
    assert.equal(published(await shop.save({})).number, 1);
    await checkLog(registry, shop);
  } finally {
    await opened.close();
    small?.unmount();
  }
});

test("a second publisher that would deploy by itself is told who does already, until that one is gone", async (t) => {
  const { dir } = createProject(t);
  const holder = await spawnFixture(t, "lock", [dir, channel]);
  assert.equal(holder.firstLine, "locked");
  assert.throws(
    () => lockPublisher({ directory: dir, channel }),
    (e) => isMidflightError(e) && e.code === "PUBLISHER_ALREADY_RUNNING" && /process \d+, since/.test(e.facts.what),
  );
  lockPublisher({ directory: dir, channel: "shop/other" }).release();
  await holder.kill();
  const lock = lockPublisher({ directory: dir, channel });
  assert.match((await spawnFixture(t, "lock", [dir, channel])).firstLine, /^PUBLISHER_ALREADY_RUNNING/);
  assert.throws(() => lockPublisher({ directory: dir, channel }), (e) => isMidflightError(e));
  lock.release();
  lockPublisher({ directory: dir, channel }).release();
});

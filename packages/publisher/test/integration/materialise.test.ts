import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { chmodSync, existsSync, mkdirSync, readdirSync, readFileSync, readlinkSync, rmSync, statSync, truncateSync, writeFileSync } from "node:fs";
import path from "node:path";
import { test, type TestContext } from "node:test";
import { buildTree, isMidflightError, type Registry, type ReleaseId } from "@midflight/protocol";
import { openMemoryRegistry } from "@midflight/registry";
import { sha256, verifyRelease } from "@midflight/trust";
import { manifestName, materialise, type MaterialiseOptions, type ReleaseManifest } from "../../src/index.ts";
import { createProject } from "../project.ts";
import { mountSmallDisk } from "../small-disk.ts";
import { createShop, files, priceOf, published, type Shop } from "../shop.ts";

interface Released {
  readonly shop: Shop;
  readonly registry: Registry;
  readonly release: ReleaseId;
  readonly releases: string;
  readonly at: (name: string) => MaterialiseOptions;
}

async function release(t: TestContext, more: Readonly<Record<string, string>> = {}): Promise<Released> {
  const registry = openMemoryRegistry();
  const shop = createShop(t, registry);
  const first = published(await shop.save(more));
  const releases = path.join(createProject(t).dir, "releases");
  const at = (name: string): MaterialiseOptions => ({ registry, releaseId: first.release, root: shop.root, directory: path.join(releases, name), link: shop.project.dir });
  return { shop, registry, release: first.release, releases, at };
}

function list(directory: string): string[] {
  return readdirSync(directory, { recursive: true, withFileTypes: true }).filter((e) => e.isFile()).map((e) => path.relative(directory, path.join(e.parentPath, e.name))).sort();
}

test("a release directory holds every file as it is loaded, read-only, and a manifest that proves it", async (t) => {
  const { shop, release: id, at } = await release(t);
  mkdirSync(path.join(shop.project.dir, "node_modules"));
  const { directory } = await materialise(at("a"));
  assert.deepEqual(list(directory), [manifestName, "package.json", "src/price.js", "src/server.js", "src/tax.js"]);
  const manifest = JSON.parse(readFileSync(path.join(directory, manifestName), "utf8")) as ReleaseManifest;
  const verified = verifyRelease(manifest.envelope, shop.root);
  assert.equal(verified.id, id);
  assert.equal(buildTree(new Map(Object.entries(manifest.files)), sha256).root, verified.release.tree);
  for (const [file, entry] of Object.entries(manifest.files)) {
    assert.equal(sha256(readFileSync(path.join(directory, file))), entry.kind === "unit" ? entry.artifact : entry.digest);
    assert.equal(statSync(path.join(directory, file)).mode & 0o777, 0o444);
  }
  assert.equal(readFileSync(path.join(directory, "package.json"), "utf8"), files["package.json"]);
  assert.equal(readlinkSync(path.join(directory, "node_modules")), path.join(shop.project.dir, "node_modules"));
});

test("the app runs from its release directory as it runs from its sources", async (t) => {
  const { at, shop } = await release(t, {
    "src/server.js": 'import { price } from "./price.js";\nimport { greet } from "greeter";\nconsole.log(`${greet()} ${price(4)}`);\n',
    "node_modules/greeter/package.json": '{"name":"greeter","exports":"./index.cjs"}',
    "node_modules/greeter/index.cjs": 'exports.greet = () => "costs";',
  });
  const { directory } = await materialise(at("a"));
  for (const cwd of [shop.project.dir, directory]) assert.equal(execFileSync(process.execPath, ["src/server.js"], { cwd, encoding: "utf8" }), "costs 8\n");
});

test("TypeScript without its types runs under its own name", async (t) => {
  const { at } = await release(t, {
    "src/server.js": 'import { price } from "./typed.ts";\nconsole.log(price({ cents: 4 }));\n',
    "src/typed.ts": "interface Money { cents: number }\nexport const price = <T extends Money>(m: T): number => (m satisfies Money).cents as number;\n",
  });
  const { directory } = await materialise(at("a"));
  assert.equal(execFileSync(process.execPath, ["src/server.js"], { cwd: directory, encoding: "utf8" }), "4\n");
});

test("a whole directory is used again, a damaged one is made anew", async (t) => {
  const { at, releases } = await release(t);
  const { directory } = await materialise(at("a"));
  const { ino } = statSync(directory);
  await materialise(at("a"));
  assert.equal(statSync(directory).ino, ino);
  const damages: [string, (file: string) => void][] = [
    ["src/price.js", (file) => (chmodSync(file, 0o644), writeFileSync(file, "hacked"))],
    ["src/tax.js", (file) => rmSync(file)],
    ["src/server.js", (file) => (chmodSync(file, 0o644), truncateSync(file, 5))],
    [manifestName, (file) => (chmodSync(file, 0o644), writeFileSync(file, "{}"))],
  ];
  for (const [name, damage] of damages) {
    const file = path.join(directory, name);
    const before = readFileSync(file);
    damage(file);
    await materialise(at("a"));
    assert.deepEqual(readFileSync(file), before);
  }
  assert.deepEqual(readdirSync(releases), ["a"]);
});

test("a directory that has to be new is made where nothing is, with what is to lie beside it, and nothing of others is touched", async (t) => {
  const { at, releases, shop } = await release(t);
  const beside = new Map([["package-lock.json", Buffer.from("{}")]]);
  const fresh = (name: string): Promise<{ directory: string }> => materialise({ ...at(name), beside, isNew: true });
  mkdirSync(path.join(releases, "empty"), { recursive: true });
  for (const name of ["absent", "empty"]) {
    const { directory } = await fresh(name);
    assert.deepEqual(list(directory), [manifestName, "package-lock.json", "package.json", "src/price.js", "src/server.js", "src/tax.js"]);
  }
  mkdirSync(path.join(releases, "full"));
  writeFileSync(path.join(releases, "full/mine.txt"), "mine");
  writeFileSync(path.join(releases, "file"), "mine");
  const isUsage = (e: unknown): boolean => isMidflightError(e) && e.code === "USAGE";
  for (const name of ["full", "file", "absent"]) await assert.rejects(fresh(name), isUsage);
  // Somebody fills it while it is built.
  const late: Registry = { ...at("a").registry, getBlobs: async (digests) => (mkdirSync(path.join(releases, "late"), { recursive: true }), writeFileSync(path.join(releases, "late/mine.txt"), "mine"), at("a").registry.getBlobs(digests)) };
  await assert.rejects(materialise({ registry: late, releaseId: at("a").releaseId, root: shop.root, directory: path.join(releases, "late"), isNew: true }), isUsage);
  assert.deepEqual(readdirSync(releases).sort(), ["absent", "empty", "file", "full", "late"]);
  for (const name of ["full", "late"]) assert.deepEqual(list(path.join(releases, name)), ["mine.txt"]);
});

test("a directory whose manifest leaves files out does not count as whole", async (t) => {
  const { at } = await release(t);
  const { directory } = await materialise(at("a"));
  const file = path.join(directory, manifestName);
  const manifest = JSON.parse(readFileSync(file, "utf8")) as ReleaseManifest;
  const { "src/price.js": left, ...rest } = manifest.files;
  assert.ok(left !== undefined);
  chmodSync(file, 0o644);
  writeFileSync(file, JSON.stringify({ ...manifest, files: rest }));
  chmodSync(path.join(directory, "src/price.js"), 0o644);
  writeFileSync(path.join(directory, "src/price.js"), "hacked");
  await materialise(at("a"));
  assert.match(readFileSync(path.join(directory, "src/price.js"), "utf8"), /n \* 2/);
});

test("of many who build the same directory at once each finds it whole", async (t) => {
  const { at, releases } = await release(t);
  const built = await Promise.all(Array.from({ length: 8 }, () => materialise(at("a"))));
  assert.equal(new Set(built.map((b) => b.directory)).size, 1);
  assert.deepEqual(readdirSync(releases), ["a"]);
  assert.equal(list(path.join(releases, "a")).length, 5);
});

test("bytes that are not what the release names are never written", async (t) => {
  const { at, registry, releases } = await release(t);
  const lying: Registry = {
    ...registry,
    getBlobs: async (digests) => (await registry.getBlobs(digests)).map((blob) => (blob.bytes.includes(0x3d) && !Buffer.from(blob.bytes).toString().startsWith("{") ? { ...blob, bytes: Buffer.from("evil()") } : blob)),
  };
  await assert.rejects(materialise({ ...at("a"), registry: lying }), (e) => isMidflightError(e) && e.code === "ARTIFACT_DIGEST_MISMATCH");
  assert.deepEqual(existsSync(releases) ? readdirSync(releases) : [], []);
});

test("a release of another root, and one that is not there, make no directory", async (t) => {
  const { at, releases } = await release(t);
  const stranger = createShop(t, openMemoryRegistry());
  await assert.rejects(materialise({ ...at("a"), root: stranger.root }), (e) => isMidflightError(e) && e.code === "KEY_UNKNOWN");
  await assert.rejects(materialise({ ...at("a"), releaseId: `sha256:${"0".repeat(64)}` }), (e) => isMidflightError(e) && e.code === "RELEASE_UNKNOWN");
  assert.equal(existsSync(path.join(releases, "a")), false);
});

test("on a full disk nothing is left behind, and after room was made it is built", async (t) => {
  const registry = openMemoryRegistry();
  const shop = createShop(t, registry);
  const { release: releaseId } = published(await shop.save({ ...priceOf(2), "src/data.json": JSON.stringify("x".repeat(600_000)) }));
  const disk = createProject(t).dir;
  const small = mountSmallDisk(disk);
  // Who may not mount a disk meets the error where blobs arrive, in the midst of the writing.
  let isFull = small === null;
  const full: Registry = { ...registry, getBlobs: (digests) => (isFull && digests.length > 3 ? Promise.reject(Object.assign(new Error("no space left on device"), { code: "ENOSPC" })) : registry.getBlobs(digests)) };
  const makeRoom = (): void => (small === null ? void (isFull = false) : small.makeRoom());
  const options = { registry: full, releaseId, root: shop.root, directory: path.join(disk, "releases/a") };
  try {
    await assert.rejects(materialise(options), (e) => isMidflightError(e) && e.code === "DISK_FULL" && e.facts.what.includes(disk));
    assert.deepEqual(readdirSync(path.join(disk, "releases")), []);
    makeRoom();
    const { directory } = await materialise(options);
    assert.equal(list(directory).length, 6);
  } finally {
    small?.unmount();
  }
});

import assert from "node:assert/strict";
import { readFileSync, symlinkSync } from "node:fs";
import { test } from "node:test";
import { openMemoryRegistry } from "@midflight/registry";
import { bootAgent, createShop, priceOf, published, type Shop } from "./shop.ts";

const lockOf = (version: "a" | "b"): string => readFileSync(new URL(`fixtures/locks/npm-${version}.json`, import.meta.url), "utf8");
const manifest = (fields: object): Record<string, string> => ({ "package.json": JSON.stringify({ type: "module", ...fields }) });

async function started(t: Parameters<typeof createShop>[0], files: Readonly<Record<string, string>>, links: Readonly<Record<string, string>> = {}): Promise<{ readonly shop: Shop; readonly plan: (files: Readonly<Record<string, string>>) => Promise<{ rung: string; verdicts: string[] }> }> {
  const registry = openMemoryRegistry();
  const shop = createShop(t, registry);
  shop.project.write(files);
  for (const [place, target] of Object.entries(links)) symlinkSync(target, `${shop.project.dir}/${place}`);
  const first = published(await shop.publisher.publish(await shop.collect()));
  await bootAgent(registry, first.release);
  return {
    shop,
    async plan(changed) {
      shop.project.write(changed);
      // Nothing in memory: what the release says of its packages is read back.
      const { rung, verdicts } = await shop.again().plan(await shop.collect());
      return { rung, verdicts: verdicts.map(({ unit, reason }) => `${unit}: ${reason}`) };
    },
  };
}

test("other packages in the lock file need a new process, and are named with their versions", async (t) => {
  const { plan } = await started(t, { "package-lock.json": lockOf("a") });
  assert.deepEqual(await plan({ "package-lock.json": lockOf("b") }), { rung: "replace", verdicts: ["dependencies: locked packages differ: @types/ms 0.7.31 removed, debug 4.3.4 → 4.3.5, picocolors 1.1.0 added"] });
});

test("a lock file that names the same packages needs no new process", async (t) => {
  const { plan, shop } = await started(t, { "package-lock.json": lockOf("a") });
  const other = lockOf("a").replace('"version": "1.0.0"', '"version": "1.0.1"');
  assert.notEqual(other, lockOf("a"));
  assert.deepEqual(await plan({ "package-lock.json": other, ...priceOf(3) }), { rung: "patch", verdicts: ["src/price.js: price(): only the body changed"] });
  const outcome = published(await shop.publisher.publish(await shop.collect()));
  assert.equal(outcome.rung, "patch");
});

test("an installation that leaves the lock file as it is shows, too", async (t) => {
  const { plan } = await started(t, { "package-lock.json": lockOf("a"), "node_modules/.package-lock.json": lockOf("a") });
  assert.deepEqual((await plan({ "node_modules/.package-lock.json": lockOf("a").replace('"version": "4.3.4"', '"version": "4.3.3"') })).verdicts, ["dependencies: installed packages differ: debug 4.3.4 → 4.3.3"]);
});

test("a package that patch-package changes after each installation is named, though no lock file knows of it", async (t) => {
  const { plan } = await started(t, { "package-lock.json": lockOf("a"), "patches/@types+ms+0.7.31.patch": "--- a\n+++ b\n" });
  assert.deepEqual(await plan(priceOf(3)), { rung: "patch", verdicts: ["src/price.js: price(): only the body changed"] });
  assert.deepEqual((await plan({ ...priceOf(2), "patches/ms+2.0.0.patch": "--- a\n+++ b\n" })).verdicts, ["dependencies: locked packages differ: ms 2.0.0 and 2.1.2 → 2.0.0 and 2.0.0 patched and 2.1.2"]);
  assert.deepEqual((await plan({ "patches/@types+ms+0.7.31.patch": "--- a\n+++ c\n" })).verdicts[0], "dependencies: locked packages differ: @types/ms 0.7.31 and 0.7.31 patched with another content, ms 2.0.0 and 2.1.2 → 2.0.0 and 2.0.0 patched and 2.1.2");
});

test("where names lead within the app is read back with a release, and a changed link is named", async (t) => {
  const rate = (value: number): Record<string, string> => ({ "src/lib/index.js": `export const RATE = ${value};\n` });
  const tax = 'import { RATE } from "lib";\nexport function tax(n) {\n  return n * RATE;\n}\n';
  const files = { "src/lib/package.json": '{"name":"lib","type":"module","main":"index.js"}', ...rate(2), "src/tax.js": tax, "node_modules/other/index.js": "" };
  const { plan, shop } = await started(t, files, { "node_modules/lib": "../src/lib" });
  const { rung, verdicts } = await plan(rate(3));
  assert.deepEqual([rung, verdicts], ["redefine", ["src/lib/index.js: const RATE changed"]]);
  shop.project.remove("node_modules/lib");
  assert.deepEqual((await plan(rate(2))).verdicts, ["dependencies: node_modules/lib leads to another package of the app"]);
});

test("without a lock file, package.json says which packages are asked for", async (t) => {
  const { plan, shop } = await started(t, {});
  shop.project.remove("package-lock.json");
  published(await shop.publisher.publish(await shop.collect(), { maxRung: "replace" }));
  assert.deepEqual((await plan(manifest({ dependencies: { ms: "^2.0.0" } }))).verdicts.filter((verdict) => verdict.startsWith("package.json")), ["package.json: other packages are asked for: ms ^2.0.0 added"]);
});

test("with a lock file, it says what is installed, and what package.json asks for does not count", async (t) => {
  const { plan } = await started(t, { "package-lock.json": lockOf("a"), ...manifest({ dependencies: { ms: "^2.0.0" } }) });
  assert.deepEqual(await plan(manifest({ dependencies: { ms: "2.0.0" } })), { rung: "patch", verdicts: ['package.json: only "dependencies" changed, which no running process reads'] });
});

test("fields of a package.json that no running process reads need no new one, unless the code may read them", async (t) => {
  const { plan } = await started(t, manifest({ scripts: { start: "node ." } }));
  assert.deepEqual(await plan(manifest({ scripts: { start: "node src" }, description: "a shop" })), { rung: "patch", verdicts: ['package.json: only "scripts", "description" changed, which no running process reads'] });
  const reading = 'import { readFileSync, symlinkSync } from "node:fs";\nexport function tax() {\n  return readFileSync("package.json", "utf8");\n}\n';
  assert.deepEqual((await plan({ "src/tax.js": reading })).rung, "replace");
});

for (const [field, value] of [["exports", "./x.js"], ["imports", { "#x": "./x.js" }], ["main", "x.js"], ["version", "2.0.0"], ["name", "other"], ["unheardOf", 1]] as const) {
  test(`"${field}" of a package.json may have been read, and needs a new process`, async (t) => {
    const { plan } = await started(t, manifest({}));
    const { rung, verdicts } = await plan(manifest({ [field]: value }));
    assert.deepEqual([rung, verdicts], ["replace", [`package.json: "${field}" of a package.json changed, which Node.js, the app or a package may have read`]]);
  });
}

import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { test } from "node:test";
import { differencesOf, type PackageList } from "@midflight/planner";
import { readLockPackages } from "../src/lock-packages.ts";

const read = (name: string): string => readFileSync(new URL(`fixtures/locks/${name}`, import.meta.url), "utf8");
const list = (fileName: string, text: string): PackageList => {
  const packages = readLockPackages(fileName, text);
  assert.ok(packages !== null, `${fileName} can be read`);
  return packages;
};

// Each was written by the package manager itself, before and after the same edit of a package.json.
const written = [
  { name: "package-lock.json", before: "npm-a.json", after: "npm-b.json" },
  { name: "pnpm-lock.yaml", before: "pnpm-a.yaml", after: "pnpm-b.yaml" },
  { name: "yarn.lock", before: "yarn-a.lock", after: "yarn-b.lock" },
  { name: "yarn.lock", before: "berry-a.lock", after: "berry-b.lock" },
];

for (const { name, before, after } of written) {
  test(`the packages of ${before} and ${after} are told apart by name and version`, () => {
    const [a, b] = [list(name, read(before)), list(name, read(after))];
    assert.deepEqual(differencesOf(a, b), ["@types/ms 0.7.31 removed", "debug 4.3.4 → 4.3.5", "picocolors 1.1.0 added"]);
    assert.deepEqual(differencesOf(b, a), ["@types/ms 0.7.31 added", "debug 4.3.5 → 4.3.4", "picocolors 1.1.0 removed"]);
    assert.deepEqual(differencesOf(a, list(name, read(before))), []);
  });
}

test("a lock file of npm's first version is read with what lies below each package", () => {
  const lock = (version: string): string => JSON.stringify({ lockfileVersion: 1, dependencies: { debug: { version: "4.3.4", integrity: "x", dependencies: { ms: { version, integrity: "y" } } }, ms: { version: "2.0.0", integrity: "z" } } });
  assert.deepEqual([...list("package-lock.json", lock("2.1.2")).keys()], ["node_modules/debug", "node_modules/debug/node_modules/ms", "node_modules/ms"]);
  assert.deepEqual(differencesOf(list("package-lock.json", lock("2.1.2")), list("package-lock.json", lock("2.1.3"))), ["ms 2.0.0 and 2.1.2 → 2.0.0 and 2.1.3"]);
});

test("a package of the same version with another content, or in another place, differs", () => {
  const lock = (packages: object): PackageList => list("package-lock.json", JSON.stringify({ lockfileVersion: 3, packages }));
  const one = lock({ "node_modules/ms": { version: "2.0.0", integrity: "sha512-a" } });
  assert.deepEqual(differencesOf(one, lock({ "node_modules/ms": { version: "2.0.0", integrity: "sha512-b" } })), ["ms 2.0.0 with another content"]);
  assert.deepEqual(differencesOf(one, lock({ "node_modules/debug/node_modules/ms": { version: "2.0.0", integrity: "sha512-a" } })), ["ms 2.0.0 in another place"]);
  const git = (commit: string): PackageList => lock({ "node_modules/ms": { version: "2.0.0", resolved: `git+ssh://git@example/ms.git#${commit}` } });
  assert.deepEqual(differencesOf(git("aaa"), git("bbb")), ["ms 2.0.0 with another content"]);
});

test("the project's own version, its packages and the registry's host are no dependencies", () => {
  const lock = (version: string, host: string): PackageList =>
    list("package-lock.json", JSON.stringify({ version, lockfileVersion: 3, packages: { "": { version }, "packages/own": { version }, "node_modules/own": { resolved: "packages/own", link: true }, "node_modules/ms": { version: "2.0.0", resolved: `https://${host}/ms.tgz`, integrity: "sha512-a" } } }));
  assert.deepEqual(differencesOf(lock("1.0.0", "a.example"), lock("1.1.0", "b.example")), []);
});

test("of two copies, the one that the project asks for counts", () => {
  const pnpm = read("pnpm-a.yaml");
  const other = pnpm.replace("specifier: 2.0.0\n        version: 2.0.0", "specifier: 2.1.2\n        version: 2.1.2");
  assert.notEqual(other, pnpm);
  assert.deepEqual(differencesOf(list("pnpm-lock.yaml", pnpm), list("pnpm-lock.yaml", other)), ["which package gets which version"]);
  const yarn = read("yarn-a.lock");
  assert.deepEqual(differencesOf(list("yarn.lock", yarn), list("yarn.lock", yarn.replace("ms@2.1.2:", "ms@2.1.2, ms@^2.1.0:"))), ["which package gets which version"]);
});

test("bun's text lock file is read", () => {
  const lock = (version: string): string => `{\n  "lockfileVersion": 1,\n  "packages": {\n    "ms": ["ms@${version}", "", {}, "sha512-${version}"],\n    "own": ["own@workspace:packages/own"],\n  },\n}\n`;
  assert.deepEqual(differencesOf(list("bun.lock", lock("2.0.0")), list("bun.lock", lock("2.1.0"))), ["ms 2.0.0 → 2.1.0"]);
});

test("what cannot be read with certainty is not guessed", () => {
  for (const [name, text] of [["package-lock.json", "{"], ["package-lock.json", "{}"], ["pnpm-lock.yaml", "a: b\n"], ["pnpm-lock.yaml", "lockfileVersion: '9.0'\npackages:\n\n  ? long\n  : {}\n"], ["yarn.lock", "a@1:\n  version \"1\"\n"], ["bun.lock", "["], ["bun.lockb", "\u0000"]] as const) {
    assert.equal(readLockPackages(name, text), null, `${name} ${text}`);
  }
});

import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import fs from "node:fs";
import os from "node:os";
import path from "node:path";
import { after, describe, test } from "node:test";
import { fileURLToPath } from "node:url";

const repository = fileURLToPath(new URL("../..", import.meta.url));
const workshop = fs.mkdtempSync(path.join(os.tmpdir(), "midflight-lock-"));
after(() => fs.rmSync(workshop, { recursive: true, force: true }));

interface Lock {
  packages: Record<string, { resolved?: string; integrity?: string; link?: boolean }>;
}

/** Checks the repository's own lock file after one change to it. */
function checkWith(change: (lock: Lock) => void): { status: number | null; stderr: string } {
  const copy = fs.mkdtempSync(path.join(workshop, "copy-"));
  const lock: Lock = JSON.parse(fs.readFileSync(path.join(repository, "package-lock.json"), "utf8"));
  const folders = Object.keys(lock.packages).filter((key) => !key.includes("node_modules/"));
  const apart = ["e2e/node-versions", "bench/rivals", "bench/replay/runners"];
  for (const folder of [...folders, ...apart]) {
    fs.mkdirSync(path.join(copy, folder), { recursive: true });
    fs.copyFileSync(path.join(repository, folder, "package.json"), path.join(copy, folder, "package.json"));
  }
  for (const folder of apart) fs.copyFileSync(path.join(repository, folder, "package-lock.json"), path.join(copy, folder, "package-lock.json"));
  change(lock);
  fs.writeFileSync(path.join(copy, "package-lock.json"), JSON.stringify(lock));
  return spawnSync(process.execPath, [path.join(repository, "scripts/check-lock.mjs"), copy], { encoding: "utf8" });
}

describe("check-lock", () => {
  test("the repository's lock files are in order", () => {
    const { status, stderr } = checkWith(() => undefined);
    assert.equal(stderr, "");
    assert.equal(status, 0);
  });

  test("a registry host, a package without a digest and a manifest that says something else are found", () => {
    const host = checkWith((lock) => Object.assign(lock.packages["node_modules/acorn"] ?? {}, { resolved: "https://registry.example/acorn.tgz" }));
    assert.match(host.stderr, /names a host: https:\/\/registry\.example/);
    assert.equal(host.status, 1);
    assert.match(checkWith((lock) => delete lock.packages["node_modules/acorn"]?.integrity).stderr, /node_modules\/acorn has no integrity/);
    assert.match(
      checkWith((lock) => Object.assign(lock.packages["packages/planner"] ?? {}, { dependencies: {} })).stderr,
      /packages\/planner\/package\.json differ/,
    );
  });
});

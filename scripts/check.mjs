// Everything that can be checked without running the product: types, lint, rooms, lock file.
import { spawnSync } from "node:child_process";
import path from "node:path";
import { fileURLToPath } from "node:url";

const root = path.resolve(path.dirname(fileURLToPath(import.meta.url)), "..");
const bin = (/** @type {string} */ name) => path.join(root, "node_modules", name);

const checks = [
  { name: "types of packages", args: [bin("typescript/bin/tsc"), "-b"] },
  { name: "types of tests, benches and scripts", args: [bin("typescript/bin/tsc"), "-p", "tsconfig.test.json"] },
  { name: "types of examples", args: [bin("typescript/bin/tsc"), "-p", "examples/shop"] },
  { name: "lint", args: [bin("oxlint/bin/oxlint"), "--deny-warnings"] },
  { name: "rooms", args: ["scripts/check-rooms.mjs"] },
  { name: "lock files", args: ["scripts/check-lock.mjs"] },
];

let failed = 0;
for (const check of checks) {
  const startedAt = performance.now();
  const { status } = spawnSync(process.execPath, check.args, { cwd: root, stdio: "inherit" });
  const seconds = ((performance.now() - startedAt) / 1000).toFixed(1);
  process.stdout.write(`${status === 0 ? "✔" : "✖"} ${check.name} (${seconds} s)\n`);
  if (status !== 0) failed += 1;
}
process.exitCode = failed === 0 ? 0 : 1;

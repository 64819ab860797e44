// Makes a fresh clone ready to run: packages, the repository's own Node, the build.
// Runs before `npm start`, `npm test` and the others, on any Node >= 20, without dependencies.
// The second time it has nothing to do and needs no network.
import path from "node:path";
import { fileURLToPath } from "node:url";
import { build } from "./setup/build.mjs";
import { ensureInstalled } from "./setup/install.mjs";
import { withLock } from "./setup/lock.mjs";
import { checkMachine, ensureNode } from "./setup/node.mjs";
import { asProblem } from "./setup/problem.mjs";

const root = path.resolve(path.dirname(fileURLToPath(import.meta.url)), "..");
const needsNodeVersions = process.argv.includes("--node-versions");

try {
  checkMachine();
  await withLock(path.join(root, ".setup.lock"), async () => {
    const installs = [ensureInstalled(root, "packages")];
    if (needsNodeVersions) installs.push(ensureInstalled(path.join(root, "e2e/node-versions"), "Node 20, 22 and 26 for the tests"));
    // All of them end before the lock goes, also when one fails.
    for (const install of await Promise.allSettled(installs)) if (install.status === "rejected") throw install.reason;
    ensureNode(root);
    await build(root);
  });
} catch (error) {
  const problem = asProblem(error);
  if (problem === undefined) throw error;
  process.stderr.write(`${problem.message}\n`);
  process.exitCode = 1;
}

import { spawnSync } from "node:child_process";
import fs from "node:fs";
import path from "node:path";
import { SetupProblem } from "./problem.mjs";

/**
 * Compiles what changed, and makes the CLI callable as `npx midflight`.
 * @param {string} root
 */
export async function build(root) {
  const compiler = path.join(root, "node_modules/typescript/bin/tsc");
  const compile = (/** @type {string[]} */ ...flags) =>
    spawnSync(process.execPath, [compiler, "-b", "--pretty", "false", ...flags], { cwd: root, encoding: "utf8" });
  let result = compile();
  // The compiler repeats errors it remembers, also when a new declaration file has cured them. Only a full build is evidence.
  if (result.status !== 0) result = compile("--force");
  if (result.status !== 0) {
    const lines = `${result.stdout}${result.stderr}`.trim().split("\n");
    process.stderr.write(`${lines.slice(0, 20).join("\n")}\n`);
    throw new SetupProblem({
      what: "The build failed",
      why: lines[0] || "the compiler gave no reason",
      state: "packages are installed; dist holds what compiled before",
      fix: "correct the errors above, then run the same command again",
    });
  }
  linkCommand(root);
}

/** npm links a command only if its file is there at install time, which is before the build. @param {string} root */
function linkCommand(root) {
  const target = path.join(root, "packages/midflight/dist/main.js");
  const link = path.join(root, "node_modules/.bin/midflight");
  if (!fs.existsSync(target)) return;
  fs.chmodSync(target, 0o755);
  if (fs.existsSync(link)) return;
  fs.rmSync(link, { force: true });
  fs.symlinkSync("../midflight/dist/main.js", link);
}

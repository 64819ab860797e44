import { execFileSync } from "node:child_process";
import fs from "node:fs";
import path from "node:path";
import { SetupProblem, diskOr } from "./problem.mjs";

const ownMajor = 24;

/** Set-up itself needs Node 20 and an npm; everything after it runs on the repository's own Node. */
export function checkMachine() {
  const major = Number(process.versions.node.split(".")[0]);
  if (major >= 20) return;
  throw new SetupProblem({
    what: `Node.js ${process.versions.node} is too old`,
    why: "the set-up of this repository needs Node.js 20 or newer",
    state: "nothing was installed",
    fix: "install Node.js 20 or newer (https://nodejs.org), then run the same command again",
  });
}

/**
 * The scripts run on `node_modules/.bin/node`. Where no such binary is published
 * for the machine, the caller's own Node serves if it can run TypeScript.
 * @param {string} root
 */
export function ensureNode(root) {
  const bin = path.join(root, "node_modules/.bin/node");
  if (majorOf(bin) === ownMajor) return;
  const own = path.join(root, "node_modules/node/bin/node");
  if (majorOf(own) === ownMajor) {
    fs.mkdirSync(path.dirname(bin), { recursive: true });
    fs.rmSync(bin, { force: true });
    fs.symlinkSync(path.relative(path.dirname(bin), own), bin);
    return;
  }
  const [major = 0, minor = 0] = process.versions.node.split(".").map(Number);
  if (major > 22 || (major === 22 && minor >= 18)) return;
  fs.rmSync(path.join(root, "node_modules/.midflight-setup"), { force: true });
  throw new SetupProblem({
    what: `Node.js ${ownMajor} is not there`,
    why: `its npm package "node" did not install on ${process.platform}-${process.arch}; ${diskOr(root, "the network, or a policy against install scripts")}`,
    state: `packages are installed; the scripts need Node.js 22.18 or newer and this is ${process.versions.node}`,
    fix: "run the same command again; if that does not help, install Node.js 24 (https://nodejs.org)",
  });
}

/** @param {string} binary */
function majorOf(binary) {
  if (!fs.existsSync(binary)) return undefined;
  try {
    return Number(/^v(\d+)\./.exec(execFileSync(binary, ["--version"], { encoding: "utf8" }))?.[1]);
  } catch {
    return undefined;
  }
}

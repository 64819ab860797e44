// The real Node binaries that the tests run on, installed from e2e/node-versions.
import fs from "node:fs";
import path from "node:path";
import { fileURLToPath } from "node:url";

const folder = fileURLToPath(new URL("../e2e/node-versions/node_modules/", import.meta.url));

/** Every major version that a user's process may run on, oldest first. */
export const nodeMajors = Object.freeze([20, 22, 24, 26]);

/**
 * The absolute path of a real Node binary of that major version.
 * @param {number} major one of `nodeMajors`
 * @returns {string}
 * @throws Error when this version is not installed; the message says how to install it
 */
export function nodeBinary(major) {
  if (!nodeMajors.includes(major)) throw new Error(`Node ${major} is not one of ${nodeMajors.join(", ")}`);
  const own = Number(process.versions.node.split(".")[0]);
  if (major === own) return process.execPath;
  const binary =
    major === 24
      ? fileURLToPath(new URL("../node_modules/node/bin/node", import.meta.url))
      : path.join(folder, `node-${major}-${process.platform}-${process.arch}`, "bin/node");
  if (!fs.existsSync(binary)) {
    throw new Error(`Node ${major} is not installed for ${process.platform}-${process.arch}: run \`node scripts/setup.mjs --node-versions\``);
  }
  return binary;
}

// A lock file that names a registry host would tie every clone to that host.
import fs from "node:fs";
import { fileURLToPath } from "node:url";

for (const name of ["package-lock.json", "e2e/node-versions/package-lock.json"]) {
  const { packages } = JSON.parse(fs.readFileSync(fileURLToPath(new URL(`../${name}`, import.meta.url)), "utf8"));
  for (const [key, entry] of Object.entries(packages)) {
    if (typeof entry.resolved === "string" && /^[a-z+]+:/.test(entry.resolved)) fail(`${name}: ${key} names a host: ${entry.resolved}`);
    if (key.includes("node_modules/") && entry.link !== true && entry.integrity === undefined) fail(`${name}: ${key} has no integrity`);
  }
}

/** @param {string} message */
function fail(message) {
  process.stderr.write(`✖ ${message}\n`);
  process.exitCode = 1;
}

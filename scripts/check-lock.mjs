// A lock file binds only if it says what the manifests say, has a digest for each package, and names no
// registry host, which would tie every clone to that host.
import fs from "node:fs";
import path from "node:path";
import { fileURLToPath } from "node:url";

const root = path.resolve(process.argv[2] ?? path.join(path.dirname(fileURLToPath(import.meta.url)), ".."));

for (const folder of ["", "e2e/node-versions", "bench/rivals", "bench/replay/runners"]) {
  const name = path.join(folder, "package-lock.json");
  const { packages } = readJson(path.join(root, name));
  for (const [key, entry] of Object.entries(packages)) {
    if (typeof entry.resolved === "string" && /^[a-z+]+:/.test(entry.resolved)) fail(`${name}: ${key} names a host: ${entry.resolved}`);
    if (key.includes("node_modules/")) {
      if (entry.link !== true && entry.integrity === undefined) fail(`${name}: ${key} has no integrity`);
      continue;
    }
    const manifest = path.join(root, folder, key, "package.json");
    if (!fs.existsSync(manifest)) fail(`${name}: ${key} is not there any more`);
    else if (dependenciesOf(readJson(manifest)) !== dependenciesOf(entry)) fail(`${name} and ${path.relative(root, manifest)} differ: run npm install`);
  }
}

/** @param {Record<string, Record<string, string> | undefined>} manifest */
function dependenciesOf(manifest) {
  const kinds = ["dependencies", "devDependencies", "optionalDependencies", "peerDependencies"];
  return JSON.stringify(kinds.map((kind) => Object.entries(manifest[kind] ?? {}).map((one) => one.join("@")).sort()));
}

/** @param {string} file */
function readJson(file) {
  return JSON.parse(fs.readFileSync(file, "utf8"));
}

/** @param {string} message */
function fail(message) {
  process.stderr.write(`✖ ${message}\n`);
  process.exitCode = 1;
}

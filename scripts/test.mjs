// Runs the tests: unit, then integration, then end to end. Arguments are file filters:
// `npm test -- planner` runs the files whose path contains "planner".
import { globSync } from "node:fs";
import path from "node:path";
import { run } from "node:test";
import { spec } from "node:test/reporters";
import { fileURLToPath } from "node:url";

const root = path.resolve(path.dirname(fileURLToPath(import.meta.url)), "..");
const kinds = ["packages/*/test/*.test.ts", "scripts/test/*.test.ts", "packages/*/test/**/*.test.ts", "examples/*/test/**/*.test.ts", "bench/*/test/**/*.test.ts", "e2e/**/*.test.ts"];
const filters = process.argv.slice(2);

const found = new Set(kinds.flatMap((kind) => globSync(kind, { cwd: root, exclude: (name) => name === "node_modules" }).sort()));
const files = [...found].filter((file) => filters.length === 0 || filters.some((filter) => file.includes(filter)));
if (files.length === 0) {
  process.stderr.write(`✖ no test file matches ${filters.join(" or ") || kinds.join(", ")}\n`);
  process.exit(1);
}

const events = run({
  files: files.map((file) => path.join(root, file)),
  cwd: root,
  // Tests wait more than they compute: three of them keep two processors busy.
  concurrency: 3,
  // A file that hangs fails, and says so, long before whoever waits for all of them gives up.
  timeout: 900_000,
  execArgv: ["--conditions=@midflight/source"],
});
let isPassed = false;
// A file that ends before it has begun a test is told as a test that passed, named as the file is.
const absolute = new Set(files.map((file) => path.join(root, file)));
const empty = /** @type {string[]} */ ([]);
events.on("test:pass", ({ name, nesting }) => {
  if (nesting === 0 && absolute.has(name)) empty.push(path.relative(root, name));
});
events.on("test:summary", (summary) => {
  // The closing summary is the one that belongs to no file. No test at all is not success.
  if (summary.file === undefined) isPassed = summary.success && summary.counts.tests > 0;
});
events.compose(new spec()).pipe(process.stdout);
process.once("beforeExit", () => {
  if (empty.length > 0) process.stderr.write(`✖ no test ran in ${empty.join(", ")}\n`);
  if (!isPassed || empty.length > 0) process.exitCode = 1;
});

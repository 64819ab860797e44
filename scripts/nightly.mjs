// The long run: everything that can be checked, every test, then every bench by name.
// Goes on after a failure, so that one morning shows all of them; exits 1 if there was any.
import { spawnSync } from "node:child_process";
import path from "node:path";
import { fileURLToPath } from "node:url";

// Searches that take the same path in every test run take a new one, and longer, here.
process.env["MIDFLIGHT_FUZZ_SECONDS"] ??= "600";
process.env["MIDFLIGHT_KILL_ROUNDS"] ??= "4";
process.env["MIDFLIGHT_REPLACES"] ??= "5";

const root = path.resolve(path.dirname(fileURLToPath(import.meta.url)), "..");
const bench = ["--conditions=@midflight/source", "bench/run.ts"];
/** A bench whose own self-check failed exits so: its figures are void, not bad. */
const voidExit = 75;

/** @param {string[]} args */
const node = (args) => spawnSync(process.execPath, args, { cwd: root, stdio: ["ignore", "pipe", "inherit"], encoding: "utf8" });

/** @type {string[]} */
const outcomes = [];
/** @param {string} name @param {string[]} args */
function step(name, args) {
  const { status, stdout } = node(args);
  process.stdout.write(stdout);
  outcomes.push(`${status === 0 ? "✔" : status === voidExit ? "– void" : "✖"} ${name}`);
  if (status !== 0) process.exitCode = 1;
}

step("check", ["scripts/check.mjs"]);
step("test", ["scripts/test.mjs"]);
const list = node(bench);
// Those that say `--repo` want a clone, which is nothing that every machine has.
const names = list.stdout.split("\n").filter((line) => !line.includes("--repo DIR")).flatMap((line) => /^\s*([a-z][a-z0-9-]*)\s{2,}\S/.exec(line)?.[1] ?? []);
if (list.status !== 0 || names.length === 0) {
  outcomes.push("✖ bench: no list of benches");
  process.exitCode = 1;
}
for (const name of names) step(`bench ${name}`, [...bench, name, "--json"]);
process.stdout.write(`\n${outcomes.join("\n")}\n`);

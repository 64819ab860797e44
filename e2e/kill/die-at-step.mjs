// Loaded into control alone: while a file of orders is there, it dies before the first step that the file does not name.
// Steps are what leaves something behind: a file that is put in its place or removed, a commit of the registry, a
// process that is started or ended.
import childProcess from "node:child_process";
import fs from "node:fs";
import { syncBuiltinESMExports } from "node:module";
import path from "node:path";
import { DatabaseSync } from "node:sqlite";

const orders = process.env["E2E_KILL_ORDERS"] ?? "";
const { existsSync, readFileSync, renameSync, writeFileSync } = fs;

/** How often each step was come to while there were orders: the first two times differ in what is there already. */
const times = new Map();

/** Where a rollout by waves is, as control has written down: each phase of each wave has steps of its own. */
let phase = "";

/** @param {string} file what is about to be put in the place of the record */
function seePhase(file) {
  const { phase: name, step: wave } = JSON.parse(readFileSync(file, "utf8"));
  phase = ` ${name} ${wave}`;
  step(`rename rollout.json${phase}`);
}

/** @param {string} what */
function step(what) {
  if (!process.argv.includes("up")) return;
  if (!existsSync(orders)) {
    phase = "";
    return times.clear();
  }
  if (what === "commit") what += phase;
  const time = (times.get(what) ?? 0) + 1;
  times.set(what, time);
  const name = time === 1 ? what : `${what} again`;
  const known = readFileSync(orders, "utf8").split("\n");
  if (known.includes(name) || (known[0] === "only in a rollout" && (phase === "" || !/^(commit|rename rollout.json) /.test(name)))) return;
  writeFileSync(orders, name);
  renameSync(orders, `${orders}.done`);
  process.kill(process.pid, "SIGKILL");
}

/** Digests, process ids and random endings differ from run to run. */
const plain = (/** @type {unknown} */ text) => path.basename(String(text)).replace(/[0-9a-f]{8,}/g, "#").replace(/\d+/g, "n");

function watch(/** @type {any} */ holder, /** @type {string} */ method, /** @type {(args: any[]) => string | null} */ nameOf) {
  const original = holder[method];
  holder[method] = function (/** @type {any[]} */ ...args) {
    const name = nameOf(args);
    if (name !== null) step(name);
    return original.apply(this, args);
  };
}

const isRecord = (/** @type {unknown} */ file) => path.basename(String(file)) === "rollout.json";
const own = (/** @type {unknown} */ file) => String(file).startsWith(orders);
for (const holder of [fs, fs.promises]) {
  for (const method of ["rename", "link", "rm", "unlink", "symlink"]) {
    const name = holder === fs ? `${method}Sync` : method;
    watch(holder, name, (args) => {
      if (method !== "rename" || !isRecord(args[1])) return own(args[0]) ? null : `${method} ${plain(args[method === "rename" || method === "link" || method === "symlink" ? 1 : 0])}`;
      seePhase(String(args[0]));
      return null;
    });
  }
}
watch(childProcess, "spawn", ([command]) => `spawn ${plain(command)}`);
watch(process, "kill", ([pid, signal]) => (pid === process.pid || signal === 0 ? null : `signal ${signal}`));
watch(DatabaseSync.prototype, "exec", ([sql]) => (/^\s*COMMIT/i.test(sql) ? "commit" : null));
syncBuiltinESMExports();

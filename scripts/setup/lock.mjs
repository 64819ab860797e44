import fs from "node:fs";
import { setTimeout as delay } from "node:timers/promises";

const pollMs = 150;
const takeoverStaleMs = 10_000;

/**
 * Runs `work` while no other process holds the lock at `file`. The lock is a
 * file that names its holder; one left by a process that died is taken over.
 * @template T
 * @param {string} file
 * @param {() => Promise<T>} work
 * @returns {Promise<T>}
 */
export async function withLock(file, work) {
  const mine = `${file}.${process.pid}`;
  fs.writeFileSync(mine, String(process.pid));
  let told = false;
  try {
    while (!tryLink(mine, file)) {
      const holder = readHolder(file);
      if (holder === undefined) continue;
      if (!isAlive(holder)) {
        removeStale(file, holder);
        continue;
      }
      if (!told) process.stderr.write(`waiting for another set-up (process ${holder}) to end\n`);
      told = true;
      await delay(pollMs);
    }
  } finally {
    fs.rmSync(mine, { force: true });
  }
  const release = () => fs.rmSync(file, { force: true });
  const interrupted = () => {
    release();
    process.exit(130);
  };
  process.once("SIGINT", interrupted).once("SIGTERM", interrupted);
  try {
    return await work();
  } finally {
    release();
    process.off("SIGINT", interrupted).off("SIGTERM", interrupted);
  }
}

/** A link appears with its content or not at all, so that nobody reads a lock without a holder. @param {string} mine @param {string} file */
function tryLink(mine, file) {
  try {
    fs.linkSync(mine, file);
    return true;
  } catch (error) {
    if (codeOf(error) === "EEXIST") return false;
    throw error;
  }
}

/** @param {string} file @returns {number | undefined} */
function readHolder(file) {
  try {
    return Number(fs.readFileSync(file, "utf8"));
  } catch (error) {
    if (codeOf(error) === "ENOENT") return undefined;
    throw error;
  }
}

/** Only one waiter at a time may remove, and only what it still finds: a new holder's lock stays. @param {string} file @param {number} holder */
function removeStale(file, holder) {
  const gate = `${file}.takeover`;
  try {
    fs.mkdirSync(gate);
  } catch (error) {
    if (codeOf(error) !== "EEXIST") throw error;
    const since = fs.statSync(gate, { throwIfNoEntry: false })?.mtimeMs ?? Date.now();
    if (Date.now() - since > takeoverStaleMs) fs.rmSync(gate, { recursive: true, force: true });
    return;
  }
  if (readHolder(file) === holder) fs.rmSync(file, { force: true });
  fs.rmSync(gate, { recursive: true, force: true });
}

/** @param {number} pid */
function isAlive(pid) {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return codeOf(error) === "EPERM";
  }
}

/** @param {unknown} error */
function codeOf(error) {
  return error instanceof Error && "code" in error ? error.code : undefined;
}

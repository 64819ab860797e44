import fs from "node:fs";

/** A reason why set-up cannot go on, told in four lines: what, why, how things stand, what to do. */
export class SetupProblem extends Error {
  /** @param {{ what: string, why: string, state: string, fix: string }} problem */
  constructor({ what, why, state, fix }) {
    super([`✖ ${what}`, `  why   ${why}`, `  now   ${state}`, `  do    ${fix}`].join("\n"));
    this.name = "SetupProblem";
  }
}

/**
 * Names the cause that npm's output shows.
 * @param {string} output everything npm printed
 * @returns {{ why: string, fix: string }}
 */
export function explainNpm(output) {
  const last = output.split("\n").filter((line) => /npm (error|ERR!)/.test(line) && !/log of this run|^npm (error|ERR!)\s*$/.test(line));
  if (/ENOSPC|EDQUOT/.test(output)) {
    return { why: "the disk is full", fix: "free 1 GB or more on this disk, then run the same command again" };
  }
  if (/ENOTFOUND|ECONNREFUSED|ECONNRESET|ETIMEDOUT|EAI_AGAIN|ENETUNREACH|EHOSTUNREACH|ERR_SOCKET_TIMEOUT|ENOTCACHED|network/i.test(output)) {
    return { why: "the package registry cannot be reached", fix: "check the network or the proxy (`npm ping` must answer), then run the same command again" };
  }
  if (/EUSAGE|can only install packages when/.test(output)) {
    return { why: "package.json and package-lock.json do not agree", fix: "run `npm install`, look at the change of package-lock.json, and commit it" };
  }
  if (/EACCES|EPERM|EROFS/.test(output)) {
    return { why: "this user may not write here or in npm's cache", fix: "give this user the folder (`chown -R`), or set npm_config_cache to a folder of its own" };
  }
  return { why: last.slice(0, 2).join(" / ") || "npm gave no reason", fix: "run `npm ci` to see all of npm's output" };
}

const neededBytes = 500e6;

/**
 * The state of the disk as a cause, when it can be one; otherwise the other cause.
 * @param {string} folder
 * @param {string} otherwise
 */
export function diskOr(folder, otherwise) {
  const { bavail, bsize } = fs.statfsSync(folder);
  const freeBytes = bavail * bsize;
  return freeBytes < neededBytes ? `the disk has only ${Math.round(freeBytes / 1e6)} MB free` : otherwise;
}

/** What an error of our own file work means to the reader; undefined when it is a fault of these scripts. @param {unknown} error */
export function asProblem(error) {
  if (error instanceof SetupProblem) return error;
  const code = error instanceof Error && "code" in error ? String(error.code) : "";
  if (!/^(ENOSPC|EDQUOT|EACCES|EPERM|EROFS)$/.test(code)) return undefined;
  return new SetupProblem({ what: "Set-up could not write its files", ...explainNpm(code), state: "nothing was started" });
}

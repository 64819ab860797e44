import { spawn } from "node:child_process";
import { createHash } from "node:crypto";
import fs from "node:fs";
import path from "node:path";
import { begin } from "./progress.mjs";
import { SetupProblem, diskOr, explainNpm } from "./problem.mjs";

const stampName = ".midflight-setup";

/**
 * Installs what the lock file in `folder` says, unless that is already so.
 * @param {string} folder
 * @param {string} label what is installed, for the progress line
 */
export async function ensureInstalled(folder, label) {
  const stamp = path.join(folder, "node_modules", stampName);
  const wanted = fingerprint(folder);
  if (fs.existsSync(stamp) && fs.readFileSync(stamp, "utf8") === wanted) return;

  // A present folder is brought up to date in place: others may be running from it.
  const isFresh = !fs.existsSync(path.join(folder, "node_modules"));
  const startedAt = performance.now();
  const end = begin(label);
  let outcome = null;
  try {
    const result = await bringUpToDate(folder, isFresh);
    if (result.code !== 0) throw refused(label, explainNpm(result.output));
    const missing = missingForThisMachine(folder);
    if (missing !== undefined) {
      throw refused(label, {
        why: `npm left out ${missing}, which this machine needs; ${diskOr(folder, "its download or unpacking failed")}`,
        fix: "see to 1 GB of free disk and a working network, then run the same command again",
      });
    }
    fs.writeFileSync(stamp, wanted);
    outcome = `installed ${label} in ${((performance.now() - startedAt) / 1000).toFixed(1)} s`;
  } finally {
    end(outcome);
  }
}

/** @param {string} label @param {{ why: string, fix: string }} cause */
function refused(label, { why, fix }) {
  return new SetupProblem({ what: `Could not install ${label}`, why, state: "nothing was started; a second run begins where this one stopped", fix });
}

/**
 * npm drops an optional package without a word when it cannot unpack it, for instance on a full disk.
 * @param {string} folder
 * @returns {string | undefined} a package that the lock file has for this platform and that is not there
 */
function missingForThisMachine(folder) {
  const { packages } = JSON.parse(fs.readFileSync(path.join(folder, "package-lock.json"), "utf8"));
  return Object.keys(packages).find((key) => {
    const { optional, os, cpu, libc } = packages[key];
    if (optional !== true || libc !== undefined || os === undefined) return false;
    const isForUs = [os].flat().includes(process.platform) && (cpu === undefined || [cpu].flat().includes(process.arch));
    return isForUs && !fs.existsSync(path.join(folder, key, "package.json"));
  });
}

/** @param {string} folder @param {boolean} isFresh */
async function bringUpToDate(folder, isFresh) {
  const result = await npm(folder, isFresh ? ["ci"] : ["install", "--no-save"]);
  if (result.code === 0) return result;
  if (!isFresh) return await npm(folder, ["ci"]);
  return lacksOptionalOnly(folder, result.output) ? await npm(folder, ["install", "--no-save"]) : result;
}

/**
 * Whether `npm ci` refused only because the lock file lacks binaries for other platforms: a mirror that
 * did not carry them when the lock was written leaves them out. Everything else in the lock still binds.
 * @param {string} folder
 * @param {string} output
 */
function lacksOptionalOnly(folder, output) {
  const complaints = [...output.matchAll(/\b(Missing|Invalid): (\S+?)@.*$/gm)];
  const lock = JSON.parse(fs.readFileSync(path.join(folder, "package-lock.json"), "utf8"));
  const optional = new Set(Object.values(lock.packages).flatMap((one) => Object.keys(one.optionalDependencies ?? {})));
  return complaints.length > 0 && complaints.every(([, kind, name]) => kind === "Missing" && optional.has(name ?? ""));
}

/** What the installed packages depend on: the lock file, and the machine they were chosen for. @param {string} folder */
function fingerprint(folder) {
  const lock = fs.readFileSync(path.join(folder, "package-lock.json"));
  return `${createHash("sha256").update(lock).digest("hex")} ${process.platform}-${process.arch}\n`;
}

/**
 * Runs the npm that started us, with the Node that runs it: node_modules/.bin may be rewritten meanwhile.
 * @param {string} folder
 * @param {string[]} args
 * @returns {Promise<{ code: number, output: string }>}
 */
function npm(folder, args) {
  const outer = process.env["npm_execpath"];
  const isNpm = outer !== undefined && /npm-cli\.c?js$/.test(outer);
  const [command, first] = isNpm ? [process.env["npm_node_execpath"] ?? process.execPath, [outer]] : ["npm", []];
  const env = { ...process.env };
  env["PATH"] = (env["PATH"] ?? "")
    .split(path.delimiter)
    .filter((entry) => !entry.endsWith(path.join("node_modules", ".bin")))
    .join(path.delimiter);
  const quiet = ["--prefix", folder, "--loglevel=error", "--no-audit", "--no-fund", "--no-progress", "--no-update-notifier"];
  // npm's own pauses between retries add up to minutes per package when there is no network at all.
  const network = ["--prefer-offline", "--fetch-retries=1", "--fetch-retry-mintimeout=300", "--fetch-retry-maxtimeout=1000"];
  const whole = ["--include=dev", "--include=optional"];
  return new Promise((resolve, reject) => {
    const child = spawn(command, [...first, ...args, ...quiet, ...network, ...whole], { cwd: folder, env, stdio: ["ignore", "pipe", "pipe"] });
    let output = "";
    child.stdout.on("data", (chunk) => (output += chunk));
    child.stderr.on("data", (chunk) => (output += chunk));
    child.once("error", () =>
      reject(
        new SetupProblem({
          what: "npm was not found",
          why: "the packages are installed with npm, and it is not on the PATH",
          state: "nothing was installed",
          fix: "install Node.js with npm (https://nodejs.org), then run the same command again",
        }),
      ),
    );
    child.once("close", (code) => resolve({ code: code ?? 1, output }));
  });
}

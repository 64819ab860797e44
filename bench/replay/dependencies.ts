import { createHash } from "node:crypto";
import { existsSync, mkdirSync, readFileSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { startProcess } from "@midflight/testkit";
import { sortedEntries, type Manifest } from "./manifest.ts";

const installWithinMs = 240_000;
/** What judges style, counts coverage or publishes is no part of a test run. */
const isTool = /^(?:@?(?:eslint|typescript-eslint|commitlint|semantic-release|changesets|stylistic)\b|eslint|prettier|husky|lint-staged|nyc$|c8$|istanbul|standard$|neostandard$|snazzy|semistandard|xo$|tsd$|tstyche$|np$|release-it|codecov|coveralls|gh-release|markdownlint|pre-commit|benchmark$|autocannon|webpack|rollup|vite$|typedoc|jsdoc|concurrently|branch-comparer)/;

/** `node_modules` of a commit, or why there is none. */
export type Installed =
  /** `asOf`: the commit's date, or null where the registry does not know what there was then: the newest that fits. */
  | { readonly kind: "installed"; readonly directory: string; readonly asOf: string | null }
  | { readonly kind: "failed"; readonly because: string };

/** Where installs are kept from one run to the next. */
export const installCache: string = path.join(tmpdir(), "midflight-replay-installs");

/**
 * Installs what a commit's package.json names, as of the commit's date, without running any script of a package.
 * Commits of one quarter that name the same share an install, which is as of the first that asked.
 */
export async function installDependencies(manifest: Manifest, date: string): Promise<Installed> {
  const wanted = sortedEntries(manifest.dependencies).filter(([name]) => !isTool.test(name));
  const quarter = `${date.slice(0, 4)}q${Math.ceil(Number(date.slice(5, 7)) / 3)}`;
  const key = createHash("sha256").update(JSON.stringify([quarter, wanted])).digest("hex").slice(0, 20);
  const directory = path.join(installCache, key);
  const known = path.join(directory, asOfName);
  if (existsSync(known)) return done(directory);
  const aside = `${directory}.${process.pid}`;
  mkdirSync(path.join(aside, "node_modules"), { recursive: true });
  try {
    let asOf: string | null = date;
    if (wanted.length > 0) {
      writeFileSync(path.join(aside, "package.json"), JSON.stringify({ name: "replayed", private: true, dependencies: Object.fromEntries(wanted) }));
      let failed = await install(aside, date);
      // A mirror may have forgotten when an old version was published.
      if (failed !== null) failed = await install(aside, (asOf = null));
      if (failed !== null) return { kind: "failed", because: failed };
    }
    writeFileSync(path.join(aside, asOfName), JSON.stringify(asOf));
    if (!existsSync(directory)) renameSync(aside, directory);
    return done(directory);
  } finally {
    rmSync(aside, { recursive: true, force: true });
  }
}

const asOfName = "as-of.json";

function done(directory: string): Installed {
  return { kind: "installed", directory: path.join(directory, "node_modules"), asOf: JSON.parse(readFileSync(path.join(directory, asOfName), "utf8")) as string | null };
}

async function install(directory: string, date: string | null): Promise<string | null> {
  const args = ["install", "--ignore-scripts", "--no-audit", "--no-fund", "--no-package-lock", "--legacy-peer-deps", "--prefer-offline", "--loglevel=error", ...(date === null ? [] : [`--before=${date}`])];
  const npm = await startProcess({ command: "npm", args, cwd: directory, env: { NODE_OPTIONS: undefined } });
  const timer = setTimeout(() => void npm.killGroup(), installWithinMs);
  const { code, signal } = await npm.exited;
  clearTimeout(timer);
  if (code === 0) return null;
  if (signal !== null) return `npm did not end within ${installWithinMs / 1000} s`;
  return npm.stderr.lines.filter((line) => /npm (?:error|ERR!) /.test(line) && !/A complete log/.test(line)).slice(0, 2).join(" ").slice(0, 200) || `npm ended with ${code}`;
}

import { createGlob, globBase } from "./glob.ts";

export interface ScopeOptions {
  /** Folders (or single files) that hold the code that runs, relative to the project. `.` is the whole project. */
  readonly code: readonly string[];
  /** Globs of further files that the code reads. Default: none. */
  readonly assets?: readonly string[];
  /** File that the build writes when it has finished. Never part of the app. */
  readonly marker?: string;
}

/** Which files make up the app. All paths are relative to the project, with `/`; "" is the project itself. */
export interface Scope {
  readonly marker: string | null;
  /** `inside`: all of it matters · `above`: it only leads to what matters · `outside`: never looked into. */
  directory(path: string): "inside" | "above" | "outside";
  /** True if the file is part of the app. */
  includes(path: string): boolean;
}

const ignoredDirectories: ReadonlySet<string> = new Set(["node_modules", ".git", ".midflight"]);
/** What editors, tools and file managers leave for a moment while they save. */
const transient = /^(?:\.DS_Store|Thumbs\.db|4913|\.#.*|#.*#|.*~|.*\.sw[a-z]|.*\.tmp|.*\.tmp[-.]?[0-9a-f]+|\.midflight-release\.json)$/;
const lockFiles: readonly string[] = ["package-lock.json", "npm-shrinkwrap.json", "pnpm-lock.yaml", "yarn.lock", "bun.lock", "bun.lockb"];

export function createScope(options: ScopeOptions): Scope {
  const code = options.code.map(codeFolder);
  const assets = (options.assets ?? []).map(normalise);
  const marker = options.marker === undefined ? null : normalise(options.marker);
  const bases = [...code.map((path) => ({ path, depth: Infinity })), ...assets.map(reachOf)];
  const leadsTo = [...bases.map((base) => base.path), ...(marker === null ? [] : [marker])];
  const isAsset = assets.map(createGlob);
  const inCode = (path: string): boolean => code.some((root) => isWithin(path, root));
  // Packages are others' code, unless `code` names one of them.
  const named = code.filter(isIgnored);
  const isForeign = (path: string): boolean => {
    if (!isIgnored(path)) return false;
    const root = named.find((candidate) => isWithin(path, candidate));
    return root === undefined ? !named.some((candidate) => candidate.startsWith(`${path}/`)) : isIgnored(path.slice(root.length + 1));
  };

  const directory = (path: string): "inside" | "above" | "outside" => {
    if (isForeign(path)) return "outside";
    if (bases.some((base) => isWithin(path, base.path) && depthOf(path) - depthOf(base.path) < base.depth)) return "inside";
    return path === "" || leadsTo.some((base) => base.startsWith(`${path}/`)) ? "above" : "outside";
  };

  const includes = (path: string): boolean => {
    const slash = path.lastIndexOf("/");
    const parent = slash === -1 ? "" : path.slice(0, slash);
    const name = path.slice(slash + 1);
    if (path === marker || transient.test(name) || isForeign(parent)) return false;
    // A package.json decides how the files below it are loaded, also from above.
    if (name === "package.json") return directory(parent) !== "outside";
    if (parent === "" && (lockFiles.includes(name) || /^midflight\.config\.[mc]?[jt]s$/.test(name))) return false;
    return inCode(path) || isAsset.some((matches) => matches(path));
  };

  return { marker, directory, includes };
}

export { lockFiles };

function isIgnored(path: string): boolean {
  return path.includes("node_modules") || path.includes(".git") || path.includes(".midflight")
    ? path.split("/").some((part) => ignoredDirectories.has(part))
    : false;
}

/** Where a glob's matches lie, and how many levels below it goes: `*.html` must not make the whole project its own. */
function reachOf(glob: string): { path: string; depth: number } {
  if (!/[*?[{]/.test(glob)) return { path: glob, depth: Infinity };
  const path = globBase(glob);
  return { path, depth: glob.includes("**") ? Infinity : depthOf(glob) - depthOf(path) };
}

function isWithin(path: string, base: string): boolean {
  return base === "" || path === base || path.startsWith(`${base}/`);
}

function depthOf(path: string): number {
  return path === "" ? 0 : path.split("/").length;
}

/** The folder that an entry of `code` names: `lib/**` means `lib`. */
export function codeFolder(entry: string): string {
  return normalise(entry.replace(/(?:^|\/)\*\*(?:\/\*)?$/, "") || ".");
}

/** `./dist/` → `dist`, `.` → "". */
function normalise(path: string): string {
  return path.replaceAll("\\", "/").replace(/^(?:\.\/+)+/, "").replace(/\/+$/, "").replace(/^\.$/, "");
}

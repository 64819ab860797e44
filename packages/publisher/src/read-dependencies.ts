import { existsSync, readdirSync, realpathSync, statSync } from "node:fs";
import path from "node:path";
import type { InstalledPackage, PackageList } from "@midflight/planner";
import { encodeDependencies, type EncodedDependencies } from "./dependencies.ts";
import { readLockPackages } from "./lock-packages.ts";
import { lockFiles } from "./scope.ts";
import type { Batch, FileContent } from "./source.ts";
import { readStable, sameStamp, stampOf, type FileStamp } from "./stable-read.ts";
import { sha256 } from "@midflight/trust";

/** What a batch says beside its files. */
export type BatchDependencies = Required<Pick<Batch, "lock" | "dependencies">>;

/** What npm writes beside what it has installed: also an installation without a lock file shows here. */
export const installationRecord = ".package-lock.json";

interface ReadFile {
  readonly path: string;
  readonly stamp: FileStamp;
  readonly digest: NonNullable<Batch["lock"]>["digest"];
  readonly packages: PackageList | null;
}

/**
 * Reads what a project's code stands on: the lock file that holds for it (its own or, in a workspace, the nearest one
 * above, up to the repository's root), what is installed, and which packages are the app's own. What has not changed is
 * not read again, and the answer is the same object then.
 */
export function openDependencies(projectDir: string): (files: Batch["files"]) => BatchDependencies {
  const directories = ancestors(projectDir);
  const readLock = openFirst(directories.flatMap((directory) => lockFiles.map((name) => path.join(directory, name))));
  const readRecord = openFirst(directories.map((directory) => path.join(directory, "node_modules", installationRecord)));
  const nameOf = openNames();
  let seen: readonly unknown[] = [];
  let last: BatchDependencies = { lock: null, dependencies: null };
  return (files) => {
    const [locked, record, patches] = [readLock(), readRecord(), readPatches(projectDir)];
    const packages = [...files].filter(([file]) => file.endsWith("package.json") && (file.length === 12 || file.at(-13) === "/"));
    // Packages are linked by what installs them, which leaves its record too.
    const now = [locked, record, patches.map(([, { content }]) => content).join(), ...packages.flat()];
    if (seen.length > 0 && now.length === seen.length && now.every((item, at) => item === seen[at])) return last;
    seen = now;
    const lock = locked === null ? null : { path: path.relative(projectDir, locked.path), digest: locked.digest };
    const links = linksInto(projectDir, packages.map(([file, content]) => ({ directory: path.posix.dirname(`/${file}`).slice(1), name: nameOf(content) })));
    const isNothing = !locked?.packages && !record?.packages && links.size === 0;
    const patched = (list: PackageList | null | undefined): PackageList | null => (list ? new Map([...list, ...patches]) : null);
    const dependencies = isNothing ? null : again(last.dependencies, encodeDependencies({ dependencies: { locked: patched(locked?.packages), installed: patched(record?.packages) }, links }));
    const isSameLock = last.lock?.path === lock?.path && last.lock?.digest === lock?.digest;
    if (!isSameLock || last.dependencies !== dependencies) last = { lock: isSameLock ? last.lock : lock, dependencies };
    return last;
  };
}

function again(before: EncodedDependencies | null | undefined, now: EncodedDependencies): EncodedDependencies {
  return before?.digest === now.digest ? before : now;
}

/** `patches/NAME+VERSION.patch`, as patch-package has them: no lock file and no record of an installation names them. */
function readPatches(projectDir: string): readonly (readonly [string, InstalledPackage])[] {
  const directory = path.join(projectDir, "patches");
  const names = existsSync(directory) ? readdirSync(directory).filter((name) => name.endsWith(".patch")).sort() : [];
  return names.flatMap((name) => {
    const match = /^((?:@[^+]+\+)?[^+]+)\+(.+?)(?:\+.*)?\.patch$/.exec(name);
    const result = match === null ? null : readStable(path.join(directory, name));
    return match === null || result?.kind !== "read" ? [] : [[`patches/${name}`, { name: match[1]!.replace("+", "/"), version: `${match[2]} patched`, content: sha256(result.bytes) }] as const];
  });
}

/** Reads the first of some files that is there; again only when its stamp changed. */
function openFirst(candidates: readonly string[]): () => ReadFile | null {
  let last: ReadFile | null = null;
  return () => {
    for (const file of candidates) {
      const stat = statSync(file, { bigint: true, throwIfNoEntry: false });
      if (stat === undefined || !stat.isFile()) continue;
      if (last?.path === file && sameStamp(last.stamp, stampOf(stat))) return last;
      const result = readStable(file);
      if (result.kind !== "read") continue;
      const packages = readLockPackages(path.basename(file), Buffer.from(result.bytes).toString("utf8"));
      return (last = { path: file, stamp: result.stamp, digest: sha256(result.bytes), packages });
    }
    return null;
  };
}

/** The names that package.json files give, each read once. */
function openNames(): (content: FileContent) => string | null {
  const names = new WeakMap<FileContent, string | null>();
  return (content) => {
    let name = names.get(content);
    if (name === undefined) {
      try {
        const json = JSON.parse(Buffer.from(content.read()).toString("utf8").replace(/^\ufeff/, "")) as { name?: unknown } | null;
        name = typeof json?.name === "string" && /^(?:@[^/\\]+\/)?[^/\\]+$/.test(json.name) && !json.name.startsWith(".") ? json.name : null;
      } catch {
        name = null; // the collector says what is wrong with it
      }
      names.set(content, name);
    }
    return name;
  };
}

/** Where `node_modules` of the project leads to a package that is part of the app itself, as workspaces have it. */
function linksInto(projectDir: string, packages: readonly { readonly directory: string; readonly name: string | null }[]): ReadonlyMap<string, string> {
  const links = new Map<string, string>();
  const own = packages.filter(({ directory, name }) => name !== null && directory !== "" && !directory.split("/").includes("node_modules"));
  if (own.length === 0) return links;
  const root = realpathSync(projectDir);
  const from = [...new Set(["", ...packages.map(({ directory }) => directory)])];
  for (const { directory, name } of own) {
    const real = path.join(root, directory);
    for (const importer of from) {
      const place = path.posix.join(importer, "node_modules", name!);
      const at = path.join(root, place);
      if (existsSync(at)) links.set(place, realpathSync(at) === real ? directory : "");
    }
  }
  return links;
}

function ancestors(projectDir: string): readonly string[] {
  const out: string[] = [];
  for (let directory = path.resolve(projectDir); ; directory = path.dirname(directory)) {
    out.push(directory);
    if (existsSync(path.join(directory, ".git")) || path.dirname(directory) === directory) return out;
  }
}

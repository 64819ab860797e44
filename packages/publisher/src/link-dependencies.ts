import { existsSync } from "node:fs";
import { lstat, mkdir, readdir, readlink, rename, rm, symlink } from "node:fs/promises";
import path from "node:path";

export interface LinkOptions {
  /** The release's directory. */
  readonly directory: string;
  /** Directories of the release's files, `a/b` after `a`. */
  readonly folders: readonly string[];
  /** The `node_modules` to use for a folder of the release, "" for its top; null: none. */
  readonly sourceOf: (folder: string) => string | null;
  /** Where `node_modules` leads back into the app: place → directory; "" if it leads elsewhere. */
  readonly links: ReadonlyMap<string, string>;
}

/** By directory: several processes of a release may start at once. */
const working = new Map<string, Promise<void>>();

/**
 * Gives a release its packages: each `node_modules` is linked as a whole, unless packages of it are part of the app. Then these
 * are the release's own, for otherwise its processes would load what lies in the project, and only the others are linked. What
 * was linked before and is not what is wanted now is replaced; what is right already is not touched, because processes use it.
 */
export async function linkDependencies(options: LinkOptions): Promise<void> {
  const { directory } = options;
  const now = (working.get(directory) ?? Promise.resolve()).catch(() => undefined).then(() => linkAll(options));
  working.set(directory, now);
  try {
    await now;
  } finally {
    if (working.get(directory) === now) working.delete(directory);
  }
}

async function linkAll({ directory, folders, sourceOf, links }: LinkOptions): Promise<void> {
  const own = new Map([...links].filter(([, target]) => target !== ""));
  for (const folder of ["", ...folders]) {
    const place = path.posix.join(folder, "node_modules");
    const source = sourceOf(folder);
    const at = path.join(directory, place);
    const isMixed = (await isDirectory(at)) || [...own.keys()].some((link) => link.startsWith(`${place}/`));
    if (isMixed) {
      await linkOwn(place, directory, own);
      await linkOthers(source, at, directory);
    } else if (source !== null) await link(source, at);
    else await rm(at, { force: true });
  }
}

/** Where a project finds packages for a folder of it: in the folder itself, and for its top in the nearest directory above, too. */
export function projectPackages(project: string): (folder: string) => string | null {
  return (folder) => (folder === "" ? nearest(project) : existing(path.join(project, folder, "node_modules")));
}

async function linkOwn(place: string, directory: string, own: ReadonlyMap<string, string>): Promise<void> {
  for (const [name, target] of own) {
    if (path.posix.dirname(name) !== place && !/^@[^/]+$/.test(path.posix.relative(place, path.posix.dirname(name)))) continue;
    const at = path.join(directory, name);
    await mkdir(path.dirname(at), { recursive: true });
    await link(path.relative(path.dirname(at), path.join(directory, target)), at);
  }
}

/** All that is not the release's own; scopes (`@shop`) hold some of both. @param source null: there are no others */
async function linkOthers(source: string | null, at: string, directory: string): Promise<void> {
  await mkdir(at, { recursive: true });
  const names = new Set(source === null ? [] : await readdir(source));
  const own = new Set<string>();
  for (const entry of await readdir(at, { withFileTypes: true })) {
    const place = path.join(at, entry.name);
    if (!entry.isSymbolicLink() || isInside(directory, path.resolve(at, await readlink(place)))) own.add(entry.name);
    else if (!names.has(entry.name)) await rm(place);
  }
  for (const name of names) if (!own.has(name)) await link(path.join(source!, name), path.join(at, name));
  for (const name of own) if (name.startsWith("@")) await linkOthers(names.has(name) ? path.join(source!, name) : null, path.join(at, name), directory);
}

/** A process that looks at this moment finds the former or the next one. */
async function link(target: string, at: string): Promise<void> {
  const former = await readlink(at).catch(() => null);
  if (former === target) return;
  if (former === null) {
    await symlink(target, at, "dir");
    return;
  }
  const aside = `${at}.${process.pid}.next`;
  await rm(aside, { force: true });
  await symlink(target, aside, "dir");
  await rename(aside, at);
}

async function isDirectory(at: string): Promise<boolean> {
  return (await lstat(at).catch(() => null))?.isDirectory() === true;
}

function isInside(directory: string, file: string): boolean {
  return file.startsWith(directory + path.sep);
}

function existing(directory: string): string | null {
  return existsSync(directory) ? directory : null;
}

/** Modules of the app find packages as they did in the project, also those of a workspace above it. */
function nearest(project: string): string | null {
  for (let at = path.resolve(project); ; at = path.dirname(at)) {
    const candidate = path.join(at, "node_modules");
    if (existsSync(candidate)) return candidate;
    if (path.dirname(at) === at) return null;
  }
}

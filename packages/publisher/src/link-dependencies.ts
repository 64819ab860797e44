import { existsSync } from "node:fs";
import { mkdir, readdir, symlink } from "node:fs/promises";
import path from "node:path";

export interface LinkOptions {
  /** The release's directory. */
  readonly directory: string;
  /** Directories of the release's files, `a/b` after `a`. */
  readonly folders: readonly string[];
  /** The project it was made from. */
  readonly project: string;
  /** Where `node_modules` leads back into the app: place → directory; "" if it leads elsewhere. */
  readonly links: ReadonlyMap<string, string>;
}

/**
 * Gives a release the packages of its project: each `node_modules` is linked as a whole, unless packages of it are part of the
 * app. Then these are the release's own, for otherwise its processes would load what lies in the project, and only the
 * others are linked.
 */
export async function linkDependencies({ directory, folders, project, links }: LinkOptions): Promise<void> {
  const own = new Map([...links].filter(([, target]) => target !== ""));
  for (const folder of ["", ...folders]) {
    const place = path.posix.join(folder, "node_modules");
    const source = folder === "" ? nearest(project) : existing(path.join(project, place));
    const at = path.join(directory, place);
    const isMixed = existsSync(at) || [...own.keys()].some((link) => link.startsWith(`${place}/`));
    if (isMixed) {
      await linkOwn(place, directory, own);
      if (source !== null) await linkOthers(source, at);
    } else if (source !== null) await symlink(source, at, "dir");
  }
}

async function linkOwn(place: string, directory: string, own: ReadonlyMap<string, string>): Promise<void> {
  for (const [link, target] of own) {
    if (path.posix.dirname(link) !== place && !/^@[^/]+$/.test(path.posix.relative(place, path.posix.dirname(link)))) continue;
    const at = path.join(directory, link);
    await mkdir(path.dirname(at), { recursive: true });
    await symlink(path.relative(path.dirname(at), path.join(directory, target)), at, "dir");
  }
}

/** The packages that are not there yet; scopes (`@shop`) hold some of both. */
async function linkOthers(source: string, at: string): Promise<void> {
  await mkdir(at, { recursive: true });
  const present = new Set(await readdir(at));
  for (const name of await readdir(source)) {
    if (!present.has(name)) await symlink(path.join(source, name), path.join(at, name));
    else if (name.startsWith("@")) await linkOthers(path.join(source, name), path.join(at, name));
  }
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

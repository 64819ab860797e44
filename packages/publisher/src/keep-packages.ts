import { constants, copyFileSync, existsSync, linkSync, lstatSync, mkdirSync, readdirSync, readlinkSync, statSync, symlinkSync } from "node:fs";
import { rename, rm, utimes } from "node:fs/promises";
import path from "node:path";
import { setImmediate as turn } from "node:timers/promises";
import { installationRecord } from "./read-dependencies.ts";

export interface KeepOptions {
  /** Folders of the app, "" for its top, and where each finds its packages. */
  readonly folders: readonly string[];
  readonly sourceOf: (folder: string) => string | null;
  /** Where they are kept. */
  readonly directory: string;
  /** False once something else is installed: what was kept then is of no use. */
  readonly isStill: () => boolean;
  readonly signal: AbortSignal;
}

/** `linked`: the project's `node_modules` is a link to somebody else's, who may have anything in it; it is not kept. */
export type Kept = "kept" | "linked" | "changed";

/** Written by what runs, and not by what installs. */
const cache = ".cache";
const perTurn = 200;

/**
 * Keeps what is installed, so that a release can be started with it after something else was installed. npm never writes into a
 * file that it has installed, so its files are linked, which costs no room; those of others are copied.
 */
export async function keepPackages({ folders, sourceOf, directory, isStill, signal }: KeepOptions): Promise<Kept> {
  if (existsSync(directory)) {
    await utimes(directory, new Date(), new Date());
    return "kept";
  }
  const sources = folders.flatMap((folder) => {
    const source = sourceOf(folder);
    return source === null ? [] : [{ from: source, to: path.join(folder, "node_modules") }];
  });
  if (sources.some(({ from }) => lstatSync(from).isSymbolicLink())) return "linked";
  await removeAbandoned(path.dirname(directory));
  const aside = `${directory}.${process.pid}.building`;
  const copying = new Copying(sources.map(({ from, to }) => ({ from, final: path.join(directory, to) })), signal);
  try {
    if (sources.some(({ from }) => isBeingInstalled(from))) return "changed";
    for (const { from, to } of sources) await copying.copy(from, path.join(aside, to), existsSync(path.join(from, installationRecord)));
    if (signal.aborted || !isStill() || sources.some(({ from }) => isBeingInstalled(from))) return "changed";
    await rename(aside, directory);
    return "kept";
  } catch (error) {
    // It went away while it was read: something else is being installed.
    if (!isStill() || signal.aborted) return "changed";
    throw error;
  } finally {
    await rm(aside, { recursive: true, force: true });
  }
}

/**
 * npm moves what it replaces aside (`.NAME-XXXXXXXX`) before it puts anything else there, and writes its record last; until then
 * the record names what is there no more. What an npm that was killed has left counts only until the next one has written it.
 * @param from a `node_modules`
 */
export function isBeingInstalled(from: string): boolean {
  const recordedAt = statSync(path.join(from, installationRecord), { throwIfNoEntry: false })?.mtimeMs;
  if (recordedAt === undefined) return false;
  const scopes = readdirSync(from).filter((name) => name.startsWith("@")).map((name) => path.join(from, name));
  return [from, ...scopes].some((folder) => readdirSync(folder).some((name) => /^\..+-[A-Za-z0-9]{8}$/.test(name) && movedAt(path.join(folder, name)) > recordedAt));
}

/** Moving changes no more of a directory than this. */
function movedAt(place: string): number {
  return lstatSync(place, { throwIfNoEntry: false })?.ctimeMs ?? 0;
}

/** One keeper works at a time, so whatever is being built now is left from one that was killed. */
async function removeAbandoned(parent: string): Promise<void> {
  const names = existsSync(parent) ? readdirSync(parent) : [];
  for (const name of names.filter((one) => /\.\d+\.building$/.test(one))) await rm(path.join(parent, name), { recursive: true, force: true });
}

class Copying {
  readonly #places: readonly { readonly from: string; readonly final: string }[];
  readonly #signal: AbortSignal;
  #count = 0;

  constructor(places: readonly { readonly from: string; readonly final: string }[], signal: AbortSignal) {
    this.#places = places;
    this.#signal = signal;
  }

  async copy(from: string, to: string, isLinked: boolean, isTop = true): Promise<void> {
    mkdirSync(to, { recursive: true });
    for (const entry of readdirSync(from, { withFileTypes: true })) {
      if (this.#signal.aborted) return;
      const [source, target] = [path.join(from, entry.name), path.join(to, entry.name)];
      if (isTop && entry.name === cache) symlinkSync(source, target);
      else if (entry.isDirectory()) await this.copy(source, target, isLinked, false);
      else if (entry.isSymbolicLink()) symlinkSync(this.#kept(readlinkSync(source), from), target);
      else if (entry.isFile()) copyFile(source, target, isLinked);
      if (++this.#count % perTurn === 0) await turn();
    }
  }

  /** What leads to a package that is kept leads to the kept one; what leads elsewhere still does. */
  #kept(link: string, from: string): string {
    const led = path.resolve(from, link);
    const own = this.#places.find(({ from: source }) => from.startsWith(source));
    const place = this.#places.find(({ from: source }) => led === source || led.startsWith(source + path.sep));
    if (place === undefined) return led;
    return place === own && !path.isAbsolute(link) ? link : path.join(place.final, path.relative(place.from, led));
  }
}

function copyFile(source: string, target: string, isLinked: boolean): void {
  if (isLinked) {
    try {
      linkSync(source, target);
      return;
    } catch (error) {
      if (!["EXDEV", "EPERM", "EMLINK", "ENOTSUP", "EOPNOTSUPP"].includes((error as NodeJS.ErrnoException).code ?? "")) throw error;
    }
  }
  copyFileSync(source, target, constants.COPYFILE_FICLONE);
}

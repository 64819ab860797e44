import { constants, copyFileSync, existsSync, linkSync, lstatSync, mkdirSync, readdirSync, readlinkSync, symlinkSync } from "node:fs";
import { rename, rm } from "node:fs/promises";
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
  if (existsSync(directory)) return "kept";
  const sources = folders.flatMap((folder) => {
    const source = sourceOf(folder);
    return source === null ? [] : [{ from: source, to: path.join(folder, "node_modules") }];
  });
  if (sources.some(({ from }) => lstatSync(from).isSymbolicLink())) return "linked";
  const aside = `${directory}.${process.pid}.building`;
  await rm(aside, { recursive: true, force: true });
  const copying = new Copying(sources.map(({ from, to }) => ({ from, final: path.join(directory, to) })), signal);
  try {
    for (const { from, to } of sources) await copying.copy(from, path.join(aside, to), existsSync(path.join(from, installationRecord)));
    if (signal.aborted || !isStill()) return "changed";
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

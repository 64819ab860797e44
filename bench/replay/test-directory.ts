import { cpSync, existsSync, mkdirSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import path from "node:path";
import type { LibraryTree } from "./library-tree.ts";

/** Writes a library's files as a project of its own, over whatever release of it lies there. */
export function writeLibrary(directory: string, { files }: LibraryTree, lock: Buffer | null, former: LibraryTree | null = null): void {
  for (const file of former?.files.keys() ?? []) if (!files.has(file)) rmSync(path.join(directory, file), { force: true });
  for (const [file, bytes] of files) {
    const target = path.join(directory, file);
    mkdirSync(path.dirname(target), { recursive: true });
    writeFileSync(target, bytes);
  }
  if (lock !== null) writeFileSync(path.join(directory, "package-lock.json"), lock);
}

export function linkInstalled(directory: string, installed: string): void {
  const target = path.join(directory, "node_modules");
  if (!existsSync(target)) symlinkSync(installed, target, "dir");
}

/**
 * A commit's tests beside the modules of a running process: a copy of the check-out in which each module of the library
 * is a link to the one in `library`, so that whatever a test requires is the live one. A module that only this commit
 * has is none that the process loaded from there: what takes its place says so when a test asks for it.
 */
export function writeTestDirectory(directory: string, checkout: string, tree: LibraryTree, library: string, installed: string): void {
  cpSync(checkout, directory, { recursive: true, verbatimSymlinks: true });
  for (const unit of unitsOf(tree)) {
    const link = path.join(directory, unit);
    rmSync(link, { force: true });
    const target = path.join(library, unit);
    if (existsSync(target)) symlinkSync(target, link);
    else writeFileSync(link, `const fresh = globalThis[Symbol.for("midflight.replay.fresh")];\nfresh?.push(${JSON.stringify(unit)});\nthrow new Error("a module that the update added, loaded by a test");\n`);
  }
  linkInstalled(directory, installed);
}

export function unitsOf({ files, layout }: LibraryTree): string[] {
  return [...files.keys()].filter((file) => layout.isUnit(file));
}

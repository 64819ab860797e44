import { lstatSync, readdirSync, realpathSync, statSync, type Dirent } from "node:fs";
import path from "node:path";
import { setImmediate as turn } from "node:timers/promises";
import { MidflightError } from "@midflight/protocol";
import { sha256 } from "@midflight/trust";
import type { Scope } from "./scope.ts";
import type { FileContent } from "./source.ts";
import { isGone, readStable, sameStamp, stampOf, unreadable, type FileStamp } from "./stable-read.ts";

export interface FolderOptions {
  /** Absolute. */
  readonly projectDir: string;
  readonly scope: Scope;
  /** Called for each directory before it is listed, so that a watch set here misses nothing. */
  readonly enter?: (directory: string) => void;
  /** The directory is gone. */
  readonly leave?: (directory: string) => void;
}

/** The app's files on disk as last read, and which of them have to be read again. */
export interface Folder {
  /** True if some file must be read again. */
  readonly isDirty: boolean;
  /** Counts up whenever a file became dirty or vanished: tells events that matter from those that do not. */
  readonly revision: number;
  /** Something happened to this path: looks what it is now, and lists it if it is a directory. */
  visit(path: string): void;
  /** The content of this file may have changed. */
  touch(path: string): void;
  /** Compares every file's stamp with the one it was read at, without blocking for long. */
  sweep(): Promise<void>;
  /** Reads what is dirty, but for `except`. Answers the paths that moved meanwhile; they stay dirty. */
  readDirty(except?: (path: string) => boolean): readonly string[];
  /** True if a file was written less than this long ago, as far as is known from its last reading. */
  wasWrittenWithin(ms: number): boolean;
  /** All files as last read; unchanged ones are the same objects as in the last snapshot. */
  snapshot(): ReadonlyMap<string, FileContent>;
}

interface Known {
  readonly content: HeldContent;
  readonly stamp: FileStamp;
  /** Read so soon after the last write that a further write could hide behind the same stamp. */
  readonly isFresh: boolean;
}

interface HeldContent extends FileContent {
  /** Nobody will ask for the bytes any more. */
  discard(): void;
}

/** Coarsest granularity of file times that is still common, with room to spare. */
const stampGranularityMs = 50;
/** Bytes of a batch that are kept in memory until they are first used; what is beyond is read again. */
const maxHeldBytes = 64 << 20;

export function openFolder(options: FolderOptions): Folder {
  const { projectDir, scope } = options;
  const directories = new Map<string, Set<string>>();
  const files = new Map<string, Known>();
  const links = new Set<string>();
  const dirty = new Set<string>();
  let revision = 0;
  /** What the last snapshot showed, and what became of it since (null: removed). */
  let contents: ReadonlyMap<string, FileContent> = new Map();
  const changes = new Map<string, FileContent | null>();

  const absolute = (relative: string): string => (relative === "" ? projectDir : `${projectDir}/${relative}`);
  const join = (directory: string, name: string): string => (directory === "" ? name : `${directory}/${name}`);

  function list(directory: string): void {
    options.enter?.(directory);
    let entries: Dirent[];
    try {
      entries = readdirSync(absolute(directory), { withFileTypes: true });
    } catch (cause) {
      if (!isGone(cause)) throw unreadable(directory, cause);
      leave(directory);
      return;
    }
    const before = directories.get(directory);
    const names = new Set<string>();
    directories.set(directory, names);
    for (const entry of entries) add(directory, entry.name, entry, names);
    for (const name of before ?? []) if (!names.has(name)) drop(join(directory, name));
  }

  function add(directory: string, name: string, entry: Pick<Dirent, "isDirectory" | "isFile" | "isSymbolicLink">, names: Set<string>): void {
    const target = join(directory, name);
    if (entry.isDirectory() || (entry.isSymbolicLink() && isNamedLink(target))) {
      if (scope.directory(target) === "outside") return;
      names.add(name);
      if (files.has(target)) drop(target);
      list(target);
    } else if ((entry.isFile() || entry.isSymbolicLink()) && scope.includes(target)) {
      names.add(name);
      if (directories.has(target)) leave(target);
      if (entry.isSymbolicLink()) links.add(target);
      else links.delete(target);
      soil(target);
    }
  }

  /** A linked folder is followed only where the configuration names it or something below it, and within the project. */
  function isNamedLink(target: string): boolean {
    if (scope.directory(target) === "outside") return false;
    const parent = target.includes("/") ? target.slice(0, target.lastIndexOf("/")) : "";
    const isNamed = scope.directory(target) === "above" || scope.directory(parent) === "above";
    return isNamed && staysInside(target) && statSync(absolute(target), { throwIfNoEntry: false })?.isDirectory() === true;
  }

  function staysInside(target: string): boolean {
    try {
      const inside = path.relative(realpathSync(projectDir), realpathSync(absolute(target)));
      return !inside.startsWith("..") && !path.isAbsolute(inside) && !inside.split(path.sep).includes("node_modules");
    } catch {
      return false;
    }
  }

  function soil(target: string): void {
    dirty.add(target);
    revision += 1;
  }

  function drop(target: string): void {
    if (directories.has(target)) leave(target);
    remove(target);
    links.delete(target);
    dirty.delete(target);
  }

  function remove(target: string): void {
    const known = files.get(target);
    if (known === undefined) return;
    known.content.discard();
    files.delete(target);
    changes.set(target, null);
    revision += 1;
  }

  function leave(directory: string): void {
    for (const name of directories.get(directory) ?? []) drop(join(directory, name));
    directories.delete(directory);
    options.leave?.(directory);
  }

  function visit(target: string): void {
    if (target === "" || directories.has(target)) return list(target);
    const stat = statOf(target);
    const parent = target.includes("/") ? target.slice(0, target.lastIndexOf("/")) : "";
    const names = directories.get(parent);
    if (names === undefined) return;
    if (stat === null) {
      names.delete(path.posix.basename(target));
      drop(target);
    } else add(parent, path.posix.basename(target), stat, names);
  }

  function statOf(target: string): Pick<Dirent, "isDirectory" | "isFile" | "isSymbolicLink"> | null {
    try {
      return lstatSync(absolute(target));
    } catch (cause) {
      if (isGone(cause)) return null;
      throw unreadable(target, cause);
    }
  }

  function read(target: string): "settled" | "moving" {
    if (links.has(target) && !staysInside(target)) {
      drop(target);
      return "settled";
    }
    const result = readStable(absolute(target));
    if (result.kind === "moving") return "moving";
    if (result.kind !== "read") {
      remove(target);
      dirty.delete(target);
      return "settled";
    }
    const known = files.get(target);
    const digest = sha256(result.bytes);
    const isFresh = Date.now() - Number(result.stamp.mtimeNs / 1_000_000n) < stampGranularityMs;
    if (known?.content.digest === digest) files.set(target, { content: known.content, stamp: result.stamp, isFresh });
    else {
      known?.content.discard();
      const content = hold(target, digest, result.bytes);
      files.set(target, { content, stamp: result.stamp, isFresh });
      changes.set(target, content);
    }
    dirty.delete(target);
    return "settled";
  }

  let heldBytes = 0;
  /** Gives the bytes away once; whoever wants them again has them read from disk and compared. */
  function hold(target: string, digest: FileContent["digest"], bytes: Uint8Array): HeldContent {
    let held: Uint8Array | null = null;
    const discard = (): void => {
      if (held !== null) heldBytes -= held.byteLength;
      held = null;
    };
    if (heldBytes + bytes.byteLength <= maxHeldBytes) {
      held = bytes;
      heldBytes += bytes.byteLength;
    }
    return {
      digest,
      bytes: bytes.byteLength,
      discard,
      read() {
        if (held !== null) {
          const first = held;
          discard();
          return first;
        }
        const again = readStable(absolute(target));
        if (again.kind !== "read" || sha256(again.bytes) !== digest) throw unsettled([target]);
        return again.bytes;
      },
    };
  }

  async function sweep(): Promise<void> {
    let done = 0;
    for (const directory of [...directories.keys()]) {
      if (!directories.has(directory)) continue;
      sweepDirectory(directory);
      done += directories.get(directory)?.size ?? 0;
      if (done > 500) {
        done = 0;
        await turn();
      }
    }
    if (!directories.has("")) list("");
  }

  function sweepDirectory(directory: string): void {
    let entries: Dirent[];
    try {
      entries = readdirSync(absolute(directory), { withFileTypes: true });
    } catch (cause) {
      if (!isGone(cause)) throw unreadable(directory, cause);
      return leave(directory);
    }
    const names = directories.get(directory) ?? new Set();
    const seen = new Set<string>();
    for (const entry of entries) {
      seen.add(entry.name);
      const target = join(directory, entry.name);
      if (directories.has(target) && entry.isDirectory()) continue;
      const known = files.get(target);
      if (known === undefined || entry.isDirectory()) add(directory, entry.name, entry, names);
      else if (known.isFresh || !isUnchanged(target, known)) soil(target);
    }
    for (const name of [...names]) {
      if (seen.has(name)) continue;
      names.delete(name);
      drop(join(directory, name));
    }
  }

  function isUnchanged(target: string, known: Known): boolean {
    const stat = statSync(absolute(target), { bigint: true, throwIfNoEntry: false });
    return stat !== undefined && sameStamp(stampOf(stat), known.stamp);
  }

  return {
    get isDirty() {
      return dirty.size > 0;
    },
    get revision() {
      return revision;
    },
    visit,
    touch(target) {
      if (scope.includes(target)) soil(target);
    },
    sweep,
    readDirty(except = () => false) {
      // A link tells nothing about changes of what it leads to.
      for (const link of links) {
        const known = files.get(link);
        if (known !== undefined && !isUnchanged(link, known)) dirty.add(link);
      }
      const moving: string[] = [];
      const readNow: string[] = [];
      for (const target of dirty) {
        if (except(target) || read(target) === "moving") moving.push(target);
        else readNow.push(target);
      }
      // A slow writer shows only with some distance between the two looks.
      for (const target of readNow) {
        const known = files.get(target);
        if (known === undefined || isUnchanged(target, known)) continue;
        dirty.add(target);
        moving.push(target);
      }
      return moving;
    },
    wasWrittenWithin(ms) {
      const now = Date.now();
      // A time in the far future is a clock's, not a build's.
      for (const { stamp } of files.values()) if (Math.abs(now - Number(stamp.mtimeNs / 1_000_000n)) < ms) return true;
      return false;
    },
    snapshot() {
      if (changes.size === 0) return contents;
      const next = new Map(contents);
      for (const [target, content] of changes) {
        if (content === null) next.delete(target);
        else next.set(target, content);
      }
      changes.clear();
      contents = next;
      return contents;
    },
  };
}

/** Files that would not hold still. */
export function unsettled(paths: readonly string[]): MidflightError {
  const [first = "a file", ...rest] = paths;
  return new MidflightError("BUILD_UNSETTLED", {
    what: `${first}${rest.length > 0 ? ` and ${rest.length} more` : ""} kept changing while being read.`,
    why: "A build is still writing, or the file never rests (a log, a database).",
    state: "Nothing was published; what was live stays live.",
    fix: ["Let the build end and write its marker file last (`publish.marker`).", "Keep files that are no code out of the code directory."],
    details: { path: first, files: paths.length },
    retryable: true,
  });
}

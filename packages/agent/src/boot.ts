import { readFileSync, realpathSync, statSync } from "node:fs";
import path from "node:path";
import {
  asRecord, buildTree, isSafePath, MidflightError, parseDirectory, type Digest, type Envelope, type FileEntry, type Release, type ReleaseId,
} from "@midflight/protocol";
import { sha256, verifyRelease, type TrustRoot } from "@midflight/trust";
import { describeProblem } from "./signal.ts";

export const manifestName = ".midflight-release.json";

/** The release that a process was started from, proved against its signature. */
export interface BootRelease {
  readonly directory: string;
  readonly id: ReleaseId;
  readonly release: Release;
  /** Digest of each unit's text, as it was proved. */
  readonly artifacts: ReadonlyMap<string, Digest>;
}

export type Boot =
  | ({ readonly kind: "known" } & BootRelease)
  /** The code on disk is of no release that this process trusts: it runs as it is and is never replaced. */
  | { readonly kind: "unregistered"; readonly reason: string };

export interface BootPlace {
  /** The app's entry, `process.argv[1]`; undefined if there is none. */
  readonly entry: string | undefined;
  readonly workingDirectory: string;
}

/**
 * Finds the release directory that the process starts from and proves that every file of it is what was signed.
 * Synchronous: nothing else runs yet, and the app waits for it.
 */
export function findBoot(place: BootPlace, root: TrustRoot): Boot {
  const directory = findReleaseDirectory(place);
  if (directory === null) return { kind: "unregistered", reason: "There is no release directory around the app's entry." };
  try {
    return { kind: "known", directory, ...verifyReleaseDirectory(directory, root) };
  } catch (problem) {
    return { kind: "unregistered", reason: describeProblem(problem).reason };
  }
}

/** Looks upward, first from the entry as it was named, then from where it really lies, then from the working directory. */
export function findReleaseDirectory({ entry, workingDirectory }: BootPlace): string | null {
  const named = entry === undefined ? null : path.resolve(workingDirectory, entry);
  const starts = named === null ? [] : [path.dirname(named), path.dirname(realPath(named))];
  for (const start of [...starts, workingDirectory]) {
    for (let directory = start; ; directory = path.dirname(directory)) {
      if (isFile(path.join(directory, manifestName))) return realPath(directory);
      if (path.dirname(directory) === directory) break;
    }
  }
  return null;
}

/** @throws MidflightError of `verifyRelease`, `OBJECT_INVALID`, `ARTIFACT_DIGEST_MISMATCH`, `FILE_UNREADABLE` */
export function verifyReleaseDirectory(directory: string, root: TrustRoot): { readonly id: ReleaseId; readonly release: Release; readonly artifacts: ReadonlyMap<string, Digest> } {
  const manifest = readManifest(path.join(directory, manifestName));
  const { id, release } = verifyRelease(manifest.envelope, root);
  if (buildTree(manifest.files, sha256).root !== release.tree) {
    throw new MidflightError("ARTIFACT_DIGEST_MISMATCH", `The files that ${manifestName} lists are not the files of the release.`);
  }
  for (const [file, entry] of manifest.files) {
    const expected = digestOnDisk(entry);
    if (expected !== null && sha256(readBytes(path.join(directory, file))) !== expected) {
      throw new MidflightError("ARTIFACT_DIGEST_MISMATCH", { what: `${file} is not the file that was released.`, details: { file } });
    }
  }
  const artifacts = new Map([...manifest.files].flatMap(([unit, entry]) => (entry.kind === "unit" ? [[unit, entry.artifact] as const] : [])));
  return { id, release, artifacts };
}

/** Files that never run need no proof. */
function digestOnDisk(entry: FileEntry): Digest | null {
  switch (entry.kind) {
    case "unit":
      return entry.artifact;
    case "asset":
      return entry.inert ? null : entry.digest;
  }
}

function readManifest(file: string): { readonly envelope: Envelope; readonly files: ReadonlyMap<string, FileEntry> } {
  let value: unknown;
  try {
    value = JSON.parse(readBytes(file).toString("utf8"));
  } catch (cause) {
    throw new MidflightError("OBJECT_INVALID", `${manifestName} is not JSON.`, { cause });
  }
  const manifest = asRecord(value, "manifest");
  const files = new Map<string, FileEntry>();
  for (const [name, entry] of Object.entries(asRecord(manifest["files"], "manifest.files"))) {
    if (!isSafePath(name)) throw new MidflightError("OBJECT_INVALID", `${manifestName} names a path outside the release.`);
    files.set(name, parseFileEntry(entry));
  }
  return { envelope: manifest["envelope"] as Envelope, files };
}

function parseFileEntry(value: unknown): FileEntry {
  const entry = parseDirectory(JSON.stringify({ entries: { file: value } })).entries["file"];
  if (entry === undefined || entry.kind === "dir") throw new MidflightError("OBJECT_INVALID", `${manifestName} lists something that is no file.`);
  return entry;
}

function readBytes(file: string): Buffer {
  try {
    return readFileSync(file);
  } catch (cause) {
    throw new MidflightError("FILE_UNREADABLE", { what: `${file} cannot be read.`, details: { file } }, { cause });
  }
}

function isFile(file: string): boolean {
  return statSync(file, { throwIfNoEntry: false })?.isFile() === true;
}

function realPath(file: string): string {
  try {
    return realpathSync(file);
  } catch {
    return file;
  }
}

import { randomBytes } from "node:crypto";
import { readFileSync } from "node:fs";
import { mkdir, open, readdir, rename, rm, stat } from "node:fs/promises";
import path from "node:path";
import { setImmediate as turn } from "node:timers/promises";
import { buildTree, MidflightError, type Digest, type Envelope, type FileEntry, type FlatTree, type Registry, type Release, type ReleaseId } from "@midflight/protocol";
import { sha256, verifyRelease, type TrustRoot } from "@midflight/trust";
import { decodeDependencies } from "./dependencies.ts";
import { linkDependencies, projectPackages } from "./link-dependencies.ts";
import { readBlobs, readTree } from "./read-tree.ts";
import { errnoOf } from "./stable-read.ts";

export interface MaterialiseOptions {
  readonly registry: Registry;
  readonly releaseId: ReleaseId;
  readonly root: TrustRoot;
  /** The release's directory; its parent is made as needed. */
  readonly directory: string;
  /** Project whose `node_modules` the release uses, its own or the nearest above. Default: none. */
  readonly link?: string;
  /** Files to lie beside those of the release, by name. Default: none. */
  readonly beside?: ReadonlyMap<string, Uint8Array>;
  /** The directory has to be absent or empty; what it holds otherwise is somebody's, and stays. Default: false. */
  readonly isNew?: boolean;
}

/** What stands in a release directory beside its files; agents rebuild the tree from it. */
export interface ReleaseManifest {
  readonly envelope: Envelope;
  readonly files: Readonly<Record<string, FileEntry>>;
}

export const manifestName = ".midflight-release.json";
/** Files that are written at the same time; the disk's journal makes one of their many fsyncs. */
const writers = 32;
const chunkBytes = 32 << 20;
/** What a builder that was killed has left is removed after this. */
const abandonedMs = 60 * 60_000;

/**
 * Makes the read-only directory that processes of a release start from: built aside, fsynced, renamed. Several may
 * make the same at the same time. A directory that is whole already is used as it is, a damaged one is made anew.
 *
 * @throws MidflightError `RELEASE_UNKNOWN`, `DISK_FULL`, `FILE_UNREADABLE`, `USAGE` (`isNew`), and what verification throws; then nothing is left behind
 */
export async function materialise(options: MaterialiseOptions): Promise<{ readonly directory: string }> {
  const { registry, releaseId } = options;
  const directory = path.resolve(options.directory);
  if (options.isNew === true) await requireNewDirectory(directory);
  else if (await isWhole(directory, options)) return { directory };
  const entry = await registry.entry(releaseId);
  if (entry?.kind !== "release") throw unknown(releaseId);
  const { id, release } = verifyRelease(entry.envelope, options.root);
  if (id !== releaseId) throw unknown(releaseId);
  const { files } = await readTree(registry, release.tree);

  const parent = path.dirname(directory);
  const aside = path.join(parent, `.${path.basename(directory)}.${process.pid}-${randomBytes(4).toString("hex")}.building`);
  try {
    await mkdir(parent, { recursive: true });
    await removeAbandoned(parent);
    await mkdir(aside);
    await writeFiles(registry, files, aside);
    const manifest: ReleaseManifest = { envelope: entry.envelope, files: Object.fromEntries(files) };
    await writeDurably(path.join(aside, manifestName), Buffer.from(JSON.stringify(manifest)));
    for (const [name, bytes] of options.beside ?? []) await writeDurably(path.join(aside, name), bytes);
    if (options.link !== undefined) await linkDependencies({ directory: aside, folders: directoriesOf(files), sourceOf: projectPackages(options.link), links: await readLinks(registry, release) });
    await syncDirectories(aside, files);
    await putInPlace(aside, directory, options);
    await syncDirectory(parent);
  } catch (error) {
    await rm(aside, { recursive: true, force: true });
    throw explain(error, directory);
  }
  return { directory };
}

async function readLinks(registry: Registry, { dependencies }: Release): Promise<ReadonlyMap<string, string>> {
  if (dependencies === undefined || dependencies === null) return new Map();
  return decodeDependencies((await readBlobs(registry, [dependencies])).get(dependencies)!).links;
}

async function writeFiles(registry: Registry, files: FlatTree, aside: string): Promise<void> {
  for (const folder of directoriesOf(files)) await mkdir(path.join(aside, folder), { recursive: true });
  for (const chunk of chunksOf(files)) {
    const blobs = await readBlobs(registry, chunk.map(([, entry]) => digestOnDisk(entry)));
    const rest = chunk[Symbol.iterator]();
    const write = async (): Promise<void> => {
      for (const [file, entry] of rest) await writeDurably(path.join(aside, file), blobs.get(digestOnDisk(entry)) ?? new Uint8Array());
    };
    await Promise.all(Array.from({ length: Math.min(writers, chunk.length) }, write));
  }
}

function* chunksOf(files: FlatTree): Generator<[string, FileEntry][]> {
  let chunk: [string, FileEntry][] = [];
  let bytes = 0;
  for (const file of files) {
    if (chunk.length > 0 && bytes + file[1].bytes > chunkBytes) {
      yield chunk;
      chunk = [];
      bytes = 0;
    }
    chunk.push(file);
    bytes += file[1].bytes;
  }
  yield chunk;
}

function digestOnDisk(entry: FileEntry): Digest {
  return entry.kind === "unit" ? entry.artifact : entry.digest;
}

async function writeDurably(file: string, bytes: Uint8Array): Promise<void> {
  const handle = await open(file, "wx", 0o444);
  try {
    await handle.writeFile(bytes);
    await handle.sync();
  } finally {
    await handle.close();
  }
}

/** Parents first. */
export function directoriesOf(files: { keys(): Iterable<string> }): readonly string[] {
  const out = new Set<string>();
  for (const file of files.keys()) {
    for (let at = file.indexOf("/"); at !== -1; at = file.indexOf("/", at + 1)) out.add(file.slice(0, at));
  }
  return [...out].sort();
}

async function syncDirectories(aside: string, files: FlatTree): Promise<void> {
  for (const folder of directoriesOf(files).toReversed()) await syncDirectory(path.join(aside, folder));
  await syncDirectory(aside);
}

async function syncDirectory(directory: string): Promise<void> {
  const handle = await open(directory, "r");
  try {
    await handle.sync();
  } finally {
    await handle.close();
  }
}

/** The first builder wins; what it built is looked at as if it had been there before. */
async function putInPlace(aside: string, directory: string, options: MaterialiseOptions): Promise<void> {
  for (;;) {
    try {
      return await rename(aside, directory);
    } catch (error) {
      if (!["ENOTEMPTY", "EEXIST", "ENOTDIR"].includes(errnoOf(error))) throw error;
    }
    if (options.isNew === true) throw occupied(directory);
    if (await isWhole(directory, options)) return rm(aside, { recursive: true, force: true });
    const damaged = `${aside}-damaged`;
    await rename(directory, damaged).catch((error: unknown) => {
      if (errnoOf(error) !== "ENOENT") throw error;
    });
    await rm(damaged, { recursive: true, force: true });
  }
}

/** True if a directory holds this very release and each file of it unharmed. */
async function isWhole(directory: string, { releaseId, root }: MaterialiseOptions): Promise<boolean> {
  try {
    const manifest = JSON.parse(readFileSync(path.join(directory, manifestName), "utf8")) as ReleaseManifest;
    const { id, release } = verifyRelease(manifest.envelope, root);
    const files = Object.entries(manifest.files);
    if (id !== releaseId || buildTree(new Map(files), sha256).root !== release.tree) return false;
    for (const [at, [file, entry]] of files.entries()) {
      if (sha256(readFileSync(path.join(directory, file))) !== digestOnDisk(entry)) return false;
      if (at % 500 === 499) await turn();
    }
    return true;
  } catch {
    return false;
  }
}

async function removeAbandoned(parent: string): Promise<void> {
  for (const name of await readdir(parent)) {
    if (!/^\..+\.\d+-[0-9a-f]{8}\.building(?:-damaged)?$/.test(name)) continue;
    const left = path.join(parent, name);
    const age = Date.now() - (await stat(left).then((found) => found.mtimeMs, () => Date.now()));
    if (age > abandonedMs) await rm(left, { recursive: true, force: true });
  }
}

/** @throws MidflightError `USAGE` if something is there */
export async function requireNewDirectory(directory: string): Promise<void> {
  const names = await readdir(directory).catch((error: unknown) => {
    if (errnoOf(error) === "ENOENT") return [];
    throw errnoOf(error) === "ENOTDIR" ? occupied(directory) : explain(error, directory);
  });
  if (names.length > 0) throw occupied(directory);
}

function occupied(directory: string): MidflightError {
  return new MidflightError("USAGE", {
    what: `${directory} is not an empty directory.`,
    why: "A release is made in a directory of its own, and nothing that is there is overwritten.",
    state: "It was left as it is.",
    fix: ["Remove it, or name another directory."],
    details: { directory },
  });
}

function explain(error: unknown, directory: string): unknown {
  const errno = errnoOf(error);
  if (errno === "ENOSPC" || errno === "EDQUOT") {
    return new MidflightError(
      "DISK_FULL",
      {
        what: `The disk has no room for the release in ${directory}.`,
        why: "Each release has a directory of its own.",
        state: "Nothing was half written; what serves goes on.",
        fix: ["Make room, then run the command again."],
        details: { directory },
      },
      { cause: error },
    );
  }
  if (!["EACCES", "EPERM", "EROFS", "EIO", "EBUSY"].includes(errno)) return error;
  return new MidflightError(
    "FILE_UNREADABLE",
    {
      what: `The release's directory ${directory} could not be written.`,
      why: error instanceof Error ? error.message : String(error),
      state: "Nothing was half written; what serves goes on.",
      fix: ["Correct the rights of the folder above it."],
      details: { directory, errno },
    },
    { cause: error },
  );
}

function unknown(release: ReleaseId): MidflightError {
  return new MidflightError("RELEASE_UNKNOWN", {
    what: `There is no release ${release}.`,
    why: "It is no longer kept, or its name is wrong.",
    state: "Nothing was done.",
    fix: ["midflight releases"],
    details: { release },
  });
}

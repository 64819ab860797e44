import { randomBytes } from "node:crypto";
import { mkdir, readdir, readFile, rename, rm, stat, unlink, writeFile } from "node:fs/promises";
import path from "node:path";
import type { Blob, Digest } from "@midflight/protocol";
import { sha256 } from "@midflight/trust";
import type { Pace } from "./pace.ts";

/** What the cache may hold before the oldest blobs go, in bytes. */
const maxCacheBytes = 64 << 20;
/** The same as a number of blobs: their names are kept in memory, and looking at each takes the app's time. */
const maxCacheBlobs = 4_096;
/** Longer than a swap takes. */
const pauseMs = 500;
/** Files that are written at a time: as many as Node has threads for it. */
const writers = 4;

/**
 * Blobs on disk, by digest. Every blob is verified when it is read, so it does not matter who wrote the file;
 * threads, children and sibling processes share the directory.
 */
export class BlobCache {
  readonly #directory: string;
  /** Names in the directory when it was last looked at. What others add later is fetched once more, no worse. */
  #names: Set<string> | null = null;
  #writing: Promise<unknown> = Promise.resolve();
  #isPruning = false;
  /** Verified, and not on the disk yet: to be written when the swap that they were fetched for is over. */
  readonly #unwritten = new Map<Digest, Uint8Array>();
  #timer: NodeJS.Timeout | null = null;
  /** What the directory holds, as far as it is known; null: nobody has counted yet. */
  #totalBytes: number | null = null;

  constructor(directory: string) {
    this.#directory = directory;
  }

  /** Those of the blobs that are there and whole. */
  async read(digests: Iterable<Digest>, pace: Pace): Promise<Map<Digest, Uint8Array>> {
    const found = new Map<Digest, Uint8Array>();
    this.#names ??= new Set(await readdir(this.#directory).catch(() => []));
    for (const digest of digests) {
      const unwritten = this.#unwritten.get(digest);
      if (unwritten !== undefined) found.set(digest, unwritten);
      if (unwritten !== undefined || !this.#names.has(digest.slice(7))) continue;
      const file = this.#fileOf(digest);
      const bytes = await readFile(file).catch(() => null);
      if (bytes === null) continue;
      pace.resume();
      if (sha256(bytes) === digest) found.set(digest, bytes);
      else await unlink(file).catch(() => undefined);
      await pace.breathe();
    }
    return found;
  }

  /** Keeps verified blobs when somebody waits for it, or in a moment: the swap that they were fetched for comes first. */
  keepSoon(blobs: readonly Blob[]): void {
    if (blobs.length === 0) return;
    for (const { digest, bytes } of blobs) this.#unwritten.set(digest, bytes);
    this.#timer ??= setTimeout(() => this.#begin(), pauseMs).unref();
  }

  /** Settles when everything that was to be kept has been written, or given up. */
  async settled(): Promise<void> {
    this.#begin();
    await this.#writing;
  }

  #begin(): void {
    if (this.#timer !== null) clearTimeout(this.#timer);
    this.#timer = null;
    this.#writing = this.#writing.then(() => this.#writePending());
  }

  async #writePending(): Promise<void> {
    const blobs = Array.from(this.#unwritten, ([digest, bytes]) => ({ digest, bytes }));
    if (blobs.length === 0) return;
    await this.keep(blobs);
    for (const { digest } of blobs) this.#unwritten.delete(digest);
  }

  /** Keeps verified blobs. A cache that cannot be written is only slower, so nothing is thrown; false tells of it. */
  async keep(blobs: readonly Blob[]): Promise<boolean> {
    try {
      await mkdir(this.#directory, { recursive: true, mode: 0o700 });
      const left = [...blobs];
      const write = async (): Promise<void> => {
        for (let blob = left.pop(); blob !== undefined; blob = left.pop()) {
          const file = this.#fileOf(blob.digest);
          const temporary = `${file}.${randomBytes(6).toString("hex")}.tmp`;
          await writeFile(temporary, blob.bytes, { mode: 0o600 });
          await rename(temporary, file);
          this.#names?.add(blob.digest.slice(7));
          if (this.#totalBytes !== null) this.#totalBytes += blob.bytes.length;
        }
      };
      await Promise.all(Array.from({ length: writers }, write));
      return true;
    } catch {
      return false;
    }
  }

  /** Begins to remove what is too much; once at a time is enough. */
  pruneSoon(needed: ReadonlySet<Digest>): void {
    if (this.#isPruning) return;
    this.#isPruning = true;
    void this.prune(needed).finally(() => {
      this.#isPruning = false;
    });
  }

  /** Removes the oldest blobs beyond the cache's size, but none that is needed. */
  async prune(needed: ReadonlySet<Digest>, maxBytes: number = maxCacheBytes, maxBlobs: number = maxCacheBlobs): Promise<void> {
    await this.settled();
    const isMany = (this.#names?.size ?? 0) - needed.size > maxBlobs;
    // Looking at thousands of files takes the app's time, so it is done once and when there is something to remove.
    if (this.#totalBytes !== null && this.#totalBytes <= maxBytes && !isMany) return;
    const names = await readdir(this.#directory).catch(() => []);
    const keep = new Set([...needed].map((digest) => digest.slice(7)));
    const files: { readonly file: string; readonly bytes: number; readonly usedAtMs: number }[] = [];
    let total = 0;
    for (const name of names) {
      const file = path.join(this.#directory, name);
      const facts = await stat(file).catch(() => null);
      if (facts === null) continue;
      total += facts.size;
      if (!keep.has(name)) files.push({ file, bytes: facts.size, usedAtMs: facts.mtimeMs });
    }
    files.sort((a, b) => a.usedAtMs - b.usedAtMs);
    this.#totalBytes = total;
    // A quarter goes at once, so that not every update has to look at all of them.
    let tooMany = files.length > maxBlobs ? files.length - Math.floor(maxBlobs * 0.75) : 0;
    for (const { file, bytes } of files) {
      if (total <= maxBytes && tooMany <= 0) return;
      await rm(file, { force: true }).catch(() => undefined);
      this.#names?.delete(path.basename(file));
      total -= bytes;
      tooMany -= 1;
      this.#totalBytes = total;
    }
  }

  #fileOf(digest: Digest): string {
    return path.join(this.#directory, digest.slice(7));
  }
}

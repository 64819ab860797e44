import { once } from "node:events";
import type { ServerResponse } from "node:http";
import { encodePack, type Digest, type Registry } from "@midflight/protocol";
import { sha256 } from "@midflight/trust";

/** Blobs read at a time, so that a large pack is never whole in memory. */
const sliceBlobs = 16;
const maxCachedPackBytes: number = 4 << 20;
const cachedPacks = 8;

/** Sends packs. The newest small ones are kept: all the processes of a fleet ask for the same one within a moment. */
export class PackSender {
  readonly #registry: Registry;
  readonly #stallMs: number;
  readonly #cache = new Map<Digest, Buffer>();

  constructor(registry: Registry, stallMs: number) {
    this.#registry = registry;
    this.#stallMs = stallMs;
  }

  async send(res: ServerResponse, digests: readonly Digest[]): Promise<void> {
    const key = sha256(digests.join());
    const cached = this.#cache.get(key);
    const head = { "content-type": "application/octet-stream", "cache-control": "no-store" };
    if (cached !== undefined) {
      res.writeHead(200, { ...head, "content-length": cached.length }).end(cached);
      return;
    }
    let kept: Uint8Array[] | null = [];
    let bytes = 0;
    let blobs = 0;
    for (let at = 0; at < digests.length; at += sliceBlobs) {
      const slice = await this.#registry.getBlobs(digests.slice(at, at + sliceBlobs));
      const frames = encodePack(slice);
      blobs += slice.length;
      bytes += frames.length;
      kept = bytes > maxCachedPackBytes ? null : (kept?.concat(frames) ?? null);
      if (!res.headersSent) res.writeHead(200, head);
      // A reader that takes nothing for this long is let go; it asks again.
      if (!res.write(frames)) await once(res, "drain", { signal: AbortSignal.timeout(this.#stallMs) });
    }
    if (!res.headersSent) res.writeHead(200, head);
    res.end();
    if (kept !== null && blobs === digests.length) this.#keep(key, Buffer.concat(kept)); // an incomplete pack may be complete next time
  }

  #keep(key: Digest, pack: Buffer): void {
    this.#cache.set(key, pack);
    for (const oldest of this.#cache.keys()) {
      if (this.#cache.size <= cachedPacks) break;
      this.#cache.delete(oldest);
    }
  }
}

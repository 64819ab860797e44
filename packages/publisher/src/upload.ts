import { maxEnclosedBlobs, maxEnclosedBytes, MidflightError, type AppendRequest, type Blob, type Digest, type Registry } from "@midflight/protocol";

/** Blobs that can be had, by digest. */
export type BlobBook = Map<Digest, () => Uint8Array>;

/** One request's worth of blobs. */
const packBytes = 16 << 20;
/** From this many on it pays to ask which of them are missing. */
const askFrom = 32;
const maxAttempts = 3;

export interface Uploader {
  /**
   * Appends: the commit point. Blobs that are small enough together are enclosed, others stored before. `find` knows blobs beyond those that are new, in case the registry lost some.
   * @throws MidflightError `REGISTRY_UNREACHABLE`, `DISK_FULL`, `OBJECT_TOO_LARGE`, `BUILD_UNSETTLED`, `REGISTRY_REFUSED`
   */
  append(request: AppendRequest, blobs: BlobBook, find?: (digest: Digest) => Uint8Array | undefined): Promise<"appended" | "moved">;
}

export function createUploader(registry: Registry, retry: <T>(call: () => Promise<T>) => Promise<T>): Uploader {
  async function store(wanted: readonly Digest[], read: (digest: Digest) => Uint8Array | undefined): Promise<void> {
    let pack: Blob[] = [];
    let bytesInPack = 0;
    const send = async (): Promise<void> => {
      const full = pack;
      pack = [];
      bytesInPack = 0;
      if (full.length > 0) await retry(() => registry.putBlobs(full));
    };
    for (const digest of wanted) {
      const bytes = read(digest);
      if (bytes === undefined) continue;
      if (bytes.byteLength > registry.caps.maxBlobBytes) throw tooLarge(digest, bytes.byteLength, registry.caps.maxBlobBytes);
      if (bytesInPack > 0 && bytesInPack + bytes.byteLength > packBytes) await send();
      pack.push({ digest, bytes });
      bytesInPack += bytes.byteLength;
    }
    await send();
  }

  return {
    async append(request, blobs, find = () => undefined) {
      const enclosed = enclose(blobs, registry.caps.maxBlobBytes);
      if (enclosed === null) {
        const digests = [...blobs.keys()];
        await store(digests.length < askFrom ? digests : await retry(() => registry.missing(digests)), (digest) => blobs.get(digest)?.());
      }
      const whole = enclosed === null ? request : { ...request, enclosed };
      for (let attempt = 1; ; attempt++) {
        const result = await retry(() => registry.append(whole));
        if (result.kind === "appended") return "appended";
        if (result.kind === "head-moved") {
          // An answer may have been lost on the way, and the own entries overtaken since.
          const own = request.entries.at(-1);
          return own !== undefined && (await retry(() => registry.entry(own.id))) !== null ? "appended" : "moved";
        }
        if (attempt === maxAttempts) throw lost(result.missing);
        // Retention swept what an older release had brought.
        await store(result.missing, (digest) => blobs.get(digest)?.() ?? find(digest));
      }
    },
  };
}

/** All of them, if an append can enclose as much; none that the registry would refuse. */
function enclose(blobs: BlobBook, maxBlobBytes: number): readonly Blob[] | null {
  if (blobs.size > maxEnclosedBlobs) return null;
  const enclosed: Blob[] = [];
  let size = 0;
  for (const [digest, read] of blobs) {
    const bytes = read();
    size += bytes.length;
    if (size > maxEnclosedBytes || bytes.length > maxBlobBytes) return null;
    enclosed.push({ digest, bytes });
  }
  return enclosed;
}

function tooLarge(digest: Digest, bytes: number, limit: number): MidflightError {
  return new MidflightError("OBJECT_TOO_LARGE", {
    what: `A file of ${bytes} bytes is over the registry's limit of ${limit}.`,
    why: "Code and its assets travel through the registry; large data has another way.",
    state: "Nothing was published; what was live stays live.",
    fix: ["Leave the file out of `code` and `assets`."],
    details: { digest, bytes, limit },
  });
}

function lost(missing: readonly Digest[]): MidflightError {
  return new MidflightError("REGISTRY_REFUSED", {
    what: `The registry says again and again that ${missing.length} blobs are missing which were just sent.`,
    why: "Its store loses what it is given.",
    state: "Nothing was published; what was live stays live.",
    fix: ["Check the registry's disk, then deploy again."],
    details: { missing: missing.length },
  });
}

import { MidflightError, type Blob, type Digest, type Envelope, type ErrorCode, type Registry, type ReleaseId } from "@midflight/protocol";
import type { TrustRoot } from "@midflight/trust";
import type { BlobCache } from "./blob-cache.ts";
import type { BootRelease } from "./boot.ts";
import type { Inbox } from "./inbox.ts";
import type { Pace } from "./pace.ts";
import type { Overlay } from "./runtime/runtime.ts";
import { describeProblem } from "./signal.ts";
import { artifactsOf, assembleOverlay, blobsOf, mapsOf, verifyBlob, verifyTarget, verifyWay } from "./verify.ts";
import { verifyInTree } from "./verify-tree.ts";
import { BackOff, wait } from "./wait.ts";

/** What is read to find out how to become a release. */
export interface Sources {
  readonly registry: Pick<Registry, "entry" | "transition" | "getBlobs">;
  readonly cache: BlobCache;
  readonly root: TrustRoot;
  readonly boot: BootRelease;
  /** What the log has shown of late; nothing of it is verified. */
  readonly seen: Pick<Inbox, "findRelease" | "findTransition" | "findBlob">;
  readonly onTrouble: (where: string, problem: unknown) => void;
}

/** A way and where it leads, as they were signed. */
export interface Way {
  readonly release: Envelope;
  readonly transition: Envelope;
}

export type FetchResult =
  | { readonly kind: "fetched"; readonly overlay: Overlay; readonly way: Way; readonly blobs: readonly Digest[] }
  | { readonly kind: "refused"; readonly code: ErrorCode; readonly reason: string; readonly unit: string | null }
  /** The signal was aborted. */
  | { readonly kind: "given-up" };

/**
 * Reads and verifies everything that the way from the boot release to `to` needs, and nothing of it is run.
 * While the registry is away it tries again until `signal` is aborted.
 */
export async function fetchOverlay(sources: Sources, to: ReleaseId, pace: Pace, signal: AbortSignal): Promise<FetchResult> {
  const backOff = new BackOff(100, 5000);
  while (!signal.aborted) {
    try {
      return await fetchOnce(sources, to, pace);
    } catch (problem) {
      const { code, reason, isRetryable } = describeProblem(problem);
      if (!isRetryable) return { kind: "refused", code, reason, unit: null };
      sources.onTrouble("fetch", problem);
      await wait(backOff.next(), signal);
    }
  }
  return { kind: "given-up" };
}

async function fetchOnce(sources: Sources, to: ReleaseId, pace: Pace): Promise<FetchResult> {
  const [release, transition] = await Promise.all([findRelease(sources, to), findTransition(sources, to)]);
  pace.resume();
  if (release === null) throw new MidflightError("RELEASE_UNKNOWN", "The registry does not have the release that was assigned.");
  if (transition === null) {
    verifyTarget(release, to, sources.root, sources.boot);
    throw new MidflightError("TRANSITION_MISSING", "The way from the release that the process started with is not known yet.");
  }
  return await takeWay(sources, { release, transition }, to, pace);
}

/** Verifies a way that is at hand, and completes it with its blobs. `to` null: wherever it leads. @throws MidflightError */
export async function takeWay(sources: Pick<Sources, "registry" | "cache" | "root" | "boot" | "seen">, way: Way, to: ReleaseId | null, pace: Pace): Promise<FetchResult> {
  const { root, boot } = sources;
  const { id, release } = verifyTarget(way.release, to, root, boot);
  await pace.breathe();
  const transition = verifyWay(way.transition, id, root, boot);
  if (transition.rung === "replace") {
    const worst = transition.verdicts.find((v) => v.rung === "replace");
    return { kind: "refused", code: "REPLACE_NEEDED", reason: worst?.reason ?? "The change needs a new process.", unit: worst?.unit ?? null };
  }
  const artifacts = artifactsOf(transition);
  const named = blobsOf(transition);
  const read = (digests: readonly Digest[]): Promise<ReadonlyMap<Digest, Uint8Array>> => fetchBlobs(sources, digests, pace);
  // With what the transition hints at, one question brings all: each level of the tree would be one more.
  const hinted = new Set(transition.directories);
  const all = read([...named, ...hinted]);
  const readLevel = (digests: readonly Digest[]): Promise<ReadonlyMap<Digest, Uint8Array>> => (digests.every((digest) => hinted.has(digest)) ? all : read(digests));
  const [bytes, maps, directories] = await Promise.all([all, fetchMaps(sources, mapsOf(transition), pace), verifyInTree({ root: release.tree, artifacts, read: readLevel }, pace)]);
  return { kind: "fetched", overlay: await assembleOverlay(transition, new Map([...bytes, ...maps]), pace), way, blobs: [...named, ...maps.keys(), ...directories] };
}

async function findRelease({ seen, registry }: Sources, id: ReleaseId): Promise<Envelope | null> {
  return seen.findRelease(id) ?? (await registry.entry(id))?.envelope ?? null;
}

/** The log's newest is the truth for the channel; the registry knows ways that were published before this process began to read. */
async function findTransition(sources: Sources, to: ReleaseId): Promise<Envelope | null> {
  return sources.seen.findTransition(to) ?? (await sources.registry.transition(sources.boot.id, to))?.envelope ?? null;
}

/** Only what Node looks at is fetched, and no swap waits for what nothing depends on: without its map a text shows its own lines. */
async function fetchMaps(sources: Pick<Sources, "registry" | "cache" | "seen">, digests: readonly Digest[], pace: Pace): Promise<ReadonlyMap<Digest, Uint8Array>> {
  if (!process.sourceMapsEnabled || digests.length === 0) return new Map();
  return fetchBlobs(sources, digests, pace).catch(() => new Map<Digest, Uint8Array>());
}

async function fetchBlobs(sources: Pick<Sources, "registry" | "cache" | "seen">, digests: readonly Digest[], pace: Pace): Promise<ReadonlyMap<Digest, Uint8Array>> {
  const found = await sources.cache.read(digests, pace);
  const enclosed = takeEnclosed(sources.seen, digests.filter((digest) => !found.has(digest)));
  for (const { digest, bytes } of enclosed) found.set(digest, bytes);
  sources.cache.keepSoon(enclosed);
  const missing = digests.filter((digest) => !found.has(digest));
  if (missing.length === 0) return found;
  const wanted = new Set(missing);
  const fresh: Blob[] = [];
  for (const blob of await sources.registry.getBlobs(missing)) {
    pace.resume();
    if (!wanted.delete(blob.digest)) continue;
    verifyBlob(blob);
    found.set(blob.digest, blob.bytes);
    fresh.push(blob);
    await pace.breathe();
  }
  if (wanted.size > 0) throw new MidflightError("REGISTRY_STORE_DAMAGED", `The registry lacks ${wanted.size} of ${digests.length} files of the release.`);
  sources.cache.keepSoon(fresh);
  return found;
}

/** What came along with the log is verified like anything else; what is spoiled is asked for. */
function takeEnclosed(seen: Pick<Inbox, "findBlob">, digests: readonly Digest[]): readonly Blob[] {
  return digests.flatMap((digest) => {
    const bytes = seen.findBlob(digest);
    return bytes !== null && isWhole({ digest, bytes }) ? [{ digest, bytes }] : [];
  });
}

function isWhole(blob: Blob): boolean {
  try {
    verifyBlob(blob);
    return true;
  } catch {
    return false;
  }
}

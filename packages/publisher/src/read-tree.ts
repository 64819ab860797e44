import { MidflightError, parseDirectory, walkTree, type Digest, type FlatTree, type Registry } from "@midflight/protocol";
import { sha256 } from "@midflight/trust";

export interface StoredTree {
  readonly files: FlatTree;
  /** The Merkle tree's directories. */
  readonly directories: ReadonlySet<Digest>;
}

/**
 * Reads the Merkle tree of a release, one request per level.
 * @throws MidflightError `RELEASE_UNKNOWN` if a part is not stored any more, `ARTIFACT_DIGEST_MISMATCH`, `OBJECT_INVALID`
 */
export async function readTree(registry: Registry, root: Digest): Promise<StoredTree> {
  const texts = new Map<Digest, string>();
  for (let level: Digest[] = [root]; level.length > 0; ) {
    const below: Digest[] = [];
    for (const [digest, bytes] of await readBlobs(registry, level)) {
      const text = Buffer.from(bytes).toString("utf8");
      texts.set(digest, text);
      for (const entry of Object.values(parseDirectory(text).entries)) if (entry.kind === "dir" && !texts.has(entry.digest)) below.push(entry.digest);
    }
    level = [...new Set(below)];
  }
  const files = await walkTree(root, async (digest) => texts.get(digest) ?? "");
  return { files, directories: new Set(texts.keys()) };
}

/** How much is asked for at once. */
const requestDigests = 2_000;

/** All of these blobs, each compared with its digest. @throws MidflightError `RELEASE_UNKNOWN`, `ARTIFACT_DIGEST_MISMATCH` */
export async function readBlobs(registry: Registry, digests: readonly Digest[]): Promise<ReadonlyMap<Digest, Uint8Array>> {
  const wanted = [...new Set(digests)];
  const out = new Map<Digest, Uint8Array>();
  for (let at = 0; at < wanted.length; at += requestDigests) {
    for (const { digest, bytes } of await registry.getBlobs(wanted.slice(at, at + requestDigests))) {
      if (sha256(bytes) !== digest) throw mismatch(digest);
      out.set(digest, bytes);
    }
  }
  const lost = wanted.find((digest) => !out.has(digest));
  if (lost !== undefined) throw incomplete(lost);
  return out;
}

function mismatch(digest: Digest): MidflightError {
  return new MidflightError("ARTIFACT_DIGEST_MISMATCH", {
    what: `The registry answered other bytes than ${digest} names.`,
    why: "Its store or what lies between is damaged, or somebody changed it.",
    state: "Nothing was done with them; what was live stays live.",
    fix: ["Repair the registry's store."],
    details: { digest },
  });
}

function incomplete(digest: Digest): MidflightError {
  return new MidflightError("RELEASE_UNKNOWN", {
    what: `A part of the release is not stored any more (${digest}).`,
    why: "Retention removed it, or the registry's store was made anew.",
    state: "Nothing was done; what was live stays live.",
    fix: ["midflight releases", "Deploy the code again."],
    details: { digest },
  });
}

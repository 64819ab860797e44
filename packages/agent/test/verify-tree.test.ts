import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { buildTree, isMidflightError, type Digest, type FileEntry } from "@midflight/protocol";
import { sha256 } from "@midflight/trust";
import { Pace } from "../src/pace.ts";
import { verifyInTree } from "../src/verify-tree.ts";

const entry = (text: string): FileEntry => ({ kind: "unit", format: "esm", source: sha256(`plain ${text}`), artifact: sha256(text), bytes: text.length });
/** Names that look like the encoding of other entries. */
const names = ["a.js", "b/a.js", "b/c/a.js", 'b/"a.js":{"kind":"unit"', "b/}a.js", "b/,{a.js", "ü/a.js", "b/aa.js", "x/kind", "x/entries/entries"];
const files = new Map<string, FileEntry>([...names.map((name) => [name, entry(name)] as const), ["asset.txt", { kind: "asset", digest: sha256("asset"), bytes: 5, inert: false }]]);
const tree = buildTree(files, sha256);

async function verify(artifacts: Record<string, Digest>): Promise<{ readonly directories: readonly Digest[]; readonly reads: number }> {
  let reads = 0;
  const directories = await verifyInTree(
    {
      root: tree.root,
      artifacts: new Map(Object.entries(artifacts)),
      read: async (digests) => {
        reads++;
        return new Map(digests.map((d) => [d, tree.blobs.get(d)!]));
      },
    },
    new Pace(),
  );
  return { directories, reads };
}

const isForeign = (e: unknown): boolean => isMidflightError(e) && e.code === "ARTIFACT_DIGEST_MISMATCH";

describe("a text is proved to be of a release", () => {
  test("for each of its units, whatever they are called, by one read per level", async () => {
    const { directories, reads } = await verify(Object.fromEntries(names.map((name) => [name, sha256(name)])));
    assert.equal(reads, 3);
    assert.deepEqual(new Set(directories), new Set(tree.blobs.keys()));
    assert.equal((await verify({ "a.js": sha256("a.js") })).reads, 1);
    assert.equal((await verify({})).reads, 0);
  });

  test("and refused when the unit has another text, is no unit, is elsewhere, or is not there", async () => {
    for (const [name, digest] of [
      ["a.js", sha256("other")],
      ["a.js", sha256("b/a.js")],
      ["asset.txt", sha256("asset")],
      ["b", sha256("b")],
      ["c.js", sha256("a.js")],
      ["b/c.js", sha256("b/a.js")],
      ["a.js/a.js", sha256("a.js")],
      ["entries", tree.root],
      ["kind", sha256("a.js")],
    ] as const) {
      await assert.rejects(verify({ [name]: digest }), isForeign, name);
    }
  });
});

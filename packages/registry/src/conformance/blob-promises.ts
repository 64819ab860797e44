import assert from "node:assert/strict";
import { sha256 } from "@midflight/trust";
import { expectRefusal } from "./expect-refusal.ts";
import { createFixture } from "./fixture.ts";
import { promise, type OpenHarness } from "./harness.ts";

export function blobPromises(open: OpenHarness): void {
  promise(open, "a blob is missing until it is stored, and comes back as it was", async ({ registry }) => {
    const bytes = Uint8Array.from({ length: 70_000 }, (_, i) => i % 251);
    const digest = sha256(bytes);
    assert.deepEqual(await registry.missing([digest, digest]), [digest]);
    await registry.putBlobs([{ digest, bytes }]);
    assert.deepEqual(await registry.missing([digest]), []);
    const [blob] = await registry.getBlobs([digest, digest]);
    assert.equal(blob?.digest, digest);
    assert.ok(Buffer.from(bytes).equals(blob.bytes));
    await registry.putBlobs([{ digest, bytes }]); // idempotent
  });

  promise(open, "blobs that are not stored are left out of an answer", async ({ registry }) => {
    const { blobs } = createFixture();
    const [a, b] = blobs("a", "b");
    assert.ok(a && b);
    await registry.putBlobs([a]);
    assert.deepEqual((await registry.getBlobs([b.digest, a.digest])).map((x) => x.digest), [a.digest]);
    assert.deepEqual(await registry.getBlobs([]), []);
    assert.deepEqual(await registry.missing([]), []);
  });

  promise(open, "many blobs go in and out in one call each, the empty one among them", async ({ registry }) => {
    const { blobs } = createFixture();
    const many = blobs("", ...Array.from({ length: 700 }, (_, i) => `unit ${i} `.repeat(i + 1)));
    await registry.putBlobs(many);
    const back = new Map((await registry.getBlobs(many.map((b) => b.digest))).map((b) => [b.digest, b.bytes]));
    assert.equal(back.size, many.length);
    for (const { digest, bytes } of many) assert.ok(Buffer.from(bytes).equals(back.get(digest) ?? assert.fail()));
  });

  promise(open, "a blob whose bytes are not its digest is refused together with all that came with it", async ({ registry }) => {
    const { blobs } = createFixture();
    const [good, other] = blobs("good", "other");
    assert.ok(good && other);
    await expectRefusal("ARTIFACT_DIGEST_MISMATCH", () => registry.putBlobs([good, { digest: other.digest, bytes: good.bytes }]));
    assert.deepEqual(await registry.missing([good.digest, other.digest]), [good.digest, other.digest]);
  });

  promise(open, "a blob over the limit is refused", async ({ registry }) => {
    const bytes = new Uint8Array(registry.caps.maxBlobBytes + 1);
    await expectRefusal("OBJECT_TOO_LARGE", () => registry.putBlobs([{ digest: sha256(bytes), bytes }]));
  });
}

import assert from "node:assert/strict";
import { maxEnclosedBytes, type AppendRequest, type Blob, type Digest } from "@midflight/protocol";
import { expectRefusal } from "./expect-refusal.ts";
import { createFixture, readAll, type Fixture } from "./fixture.ts";
import { promise, type OpenHarness } from "./harness.ts";

/** What holds of blobs that travel inside of an append. */
export function enclosedPromises(open: OpenHarness): void {
  promise(open, "blobs that an append encloses are stored with it, and need not be there before", async ({ registry }) => {
    const f = createFixture();
    const { request, blobs } = enclosing(f, "a", "b");
    assert.equal((await registry.append(request)).kind, "appended");
    const back = new Map((await registry.getBlobs(digestsOf(blobs))).map(({ digest, bytes }) => [digest, bytes]));
    for (const { digest, bytes } of blobs) assert.ok(Buffer.from(bytes).equals(back.get(digest) ?? assert.fail("it is not stored")));
    assert.equal((await readAll(registry, f.channel)).length, 2);
    const again = await registry.append(request);
    assert.equal(again.kind === "appended" && again.repeated, true);
  });

  promise(open, "an append on another head keeps nothing of what it encloses", async ({ registry }) => {
    const f = createFixture();
    const { assign, release } = await f.publish(registry, 1, "first");
    const before = await readAll(registry, f.channel);
    const { request, blobs } = enclosing(f, "a");
    for (const wrong of [{ expect: null }, { expect: assign, lastRelease: null }, { expect: release }]) {
      assert.equal((await registry.append({ ...request, ...wrong })).kind, "head-moved");
      assert.deepEqual(await registry.missing(digestsOf(blobs)), digestsOf(blobs));
    }
    assert.deepEqual(await readAll(registry, f.channel), before);
  });

  promise(open, "an append that lacks a blob keeps nothing of those that it encloses, and names only the one that it lacks", async ({ registry }) => {
    const f = createFixture();
    const { request, blobs } = enclosing(f, "a", "b");
    const [absent, ...rest] = blobs;
    assert.ok(absent);
    assert.deepEqual(await registry.append({ ...request, enclosed: rest }), { kind: "blobs-missing", missing: [absent.digest] });
    assert.deepEqual(await registry.missing(digestsOf(blobs)), digestsOf(blobs));
    assert.deepEqual(await readAll(registry, f.channel), []);
    await registry.putBlobs([absent]);
    assert.equal((await registry.append({ ...request, enclosed: rest })).kind, "appended");
    assert.deepEqual(await registry.missing(digestsOf(blobs)), []);
  });

  promise(open, "an append with one enclosed blob whose bytes are not its digest is refused as a whole", async ({ registry }) => {
    const f = createFixture();
    const { request, blobs } = enclosing(f, "a", "b");
    const spoiled = blobs.map((blob, i) => (i === 1 ? { ...blob, bytes: Buffer.from("spoiled") } : blob));
    await expectRefusal("ARTIFACT_DIGEST_MISMATCH", () => registry.append({ ...request, enclosed: spoiled }));
    assert.deepEqual(await registry.missing(digestsOf(blobs)), digestsOf(blobs));
    assert.deepEqual(await readAll(registry, f.channel), []);
  });

  promise(open, "an append may enclose as much as the limit says, and no byte more", async ({ registry }) => {
    const f = createFixture();
    const { request, blobs } = enclosing(f, "a");
    const space = maxEnclosedBytes - blobs.reduce((sum, { bytes }) => sum + bytes.length, 0);
    const enclosedWith = (bytes: number): AppendRequest => ({ ...request, enclosed: [...blobs, ...f.blobs("x".repeat(bytes))] });
    await expectRefusal("OBJECT_TOO_LARGE", () => registry.append(enclosedWith(space + 1)));
    assert.deepEqual(await registry.missing(digestsOf(blobs)), digestsOf(blobs));
    assert.deepEqual(await readAll(registry, f.channel), []);
    assert.equal((await registry.append(enclosedWith(space))).kind, "appended");
  });

  promise(open, "what a caller does to its buffer after an append does not change what is stored", async ({ registry }) => {
    const f = createFixture();
    const { request, blobs } = enclosing(f, "a");
    const mine = blobs.map(({ digest, bytes }) => ({ digest, bytes: Uint8Array.from(bytes) }));
    const appending = registry.append({ ...request, enclosed: mine });
    assert.equal((await appending).kind, "appended");
    for (const { bytes } of mine) bytes.fill(0);
    for (const { digest, bytes } of await registry.getBlobs(digestsOf(blobs))) assert.ok(Buffer.from(bytes).equals(blobs.find((blob) => blob.digest === digest)!.bytes));
  });
}

/** A release and its assign, with every blob that it needs inside. */
function enclosing(f: Fixture, ...texts: string[]): { readonly request: AppendRequest; readonly blobs: readonly Blob[] } {
  const { entry, id, blobs } = f.release(1, ...texts);
  return { blobs, request: { channel: f.channel, expect: null, entries: [entry, f.assign(id)], needs: digestsOf(blobs), enclosed: blobs } };
}

function digestsOf(blobs: readonly Blob[]): Digest[] {
  return blobs.map(({ digest }) => digest);
}

import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { test } from "node:test";
import { encodePack, isMidflightError, type Blob, type Digest, type ErrorCode } from "@midflight/protocol";
import { readPack } from "../src/read-pack.ts";

const blobOf = (text: string): Blob => ({ digest: `sha256:${createHash("sha256").update(text).digest("hex")}`, bytes: Buffer.from(text) });
const blobs = ["", "a", "b".repeat(300), "c"].map(blobOf);
const asked = new Set<Digest>(blobs.map((b) => b.digest));

async function* chunksOf(bytes: Uint8Array, size: number): AsyncGenerator<Uint8Array> {
  for (let at = 0; at < bytes.length; at += size) yield bytes.subarray(at, at + size);
}

async function refuses(code: ErrorCode, pack: Uint8Array): Promise<void> {
  await assert.rejects(readPack(chunksOf(pack, 1_000), asked, 1_000), (error: unknown) => isMidflightError(error) && error.code === code);
}

test("a pack is the same whatever the chunks", async () => {
  const pack = encodePack(blobs);
  for (const size of [1, 7, 36, 37, 1_000]) {
    const read = await readPack(chunksOf(pack, size), asked, 1_000);
    assert.deepEqual(read.map(({ digest, bytes }) => [digest, Buffer.from(bytes).toString()]), blobs.map(({ digest, bytes }) => [digest, Buffer.from(bytes).toString()]));
  }
});

test("a pack that breaks off is refused at any place but between two frames", async () => {
  const pack = encodePack(blobs);
  const ends = new Set([0]);
  for (const { bytes } of blobs) ends.add(Math.max(...ends) + 36 + bytes.length);
  for (let at = 1; at < pack.length; at++) if (!ends.has(at)) await refuses("PACK_MALFORMED", pack.subarray(0, at));
});

test("one changed bit of a blob is refused", async () => {
  const pack = Buffer.from(encodePack(blobs));
  pack.writeUInt8(pack.readUInt8(pack.length - 1) ^ 1, pack.length - 1);
  await refuses("ARTIFACT_DIGEST_MISMATCH", pack);
});

test("a blob that was not asked for is refused, and so is one that comes twice", async () => {
  await refuses("PACK_MALFORMED", encodePack([blobOf("another")]));
  const [, a] = blobs;
  assert.ok(a);
  await refuses("PACK_MALFORMED", encodePack([a, a]));
});

test("a blob over the limit is refused by its announcement, before its bytes come", async () => {
  const header = Buffer.alloc(36);
  header.writeUInt32BE(0xffff_ffff);
  let pulled = 0;
  async function* endless(): AsyncGenerator<Uint8Array> {
    yield header;
    for (; pulled < 5; pulled++) yield Buffer.alloc(1_000);
  }
  await assert.rejects(readPack(endless(), asked, 1_000), (error: unknown) => isMidflightError(error) && error.code === "OBJECT_TOO_LARGE");
  assert.equal(pulled, 0);
});

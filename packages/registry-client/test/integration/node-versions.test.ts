import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import { test } from "node:test";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { createFixture } from "@midflight/registry/conformance";
import { nodeBinary, nodeMajors } from "../../../../scripts/node-versions.mjs";
import { serve } from "./setup.ts";

const run = promisify(execFile);
const follower = fileURLToPath(new URL("../fixtures/dist-follower.mjs", import.meta.url));

for (const major of nodeMajors) {
  test(`what is published follows, fetches and ends with its process on Node ${major}`, async (t) => {
    const { server, registry } = await serve(t);
    const { blobs } = await createFixture().publish(registry, 1, "v1");
    const { stdout, stderr } = await run(nodeBinary(major), [follower, server.url, blobs[0]?.digest ?? ""], { timeout: 60_000 });
    assert.equal(stdout, "release,assign 2 null\n");
    assert.equal(stderr, "");
  });
}

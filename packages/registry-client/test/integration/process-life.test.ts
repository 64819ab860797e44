import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import { fileURLToPath } from "node:url";
import { test } from "node:test";
import { promisify } from "node:util";
import { createFixture } from "@midflight/registry/conformance";
import { serve } from "./setup.ts";

const run = promisify(execFile);
const follower = fileURLToPath(new URL("../fixtures/follower.ts", import.meta.url));

/** Runs the follower; rejects if it does not end by itself within 5 s. */
async function follow(url: string, mode: "idle" | "waits"): Promise<string> {
  const { stdout, stderr } = await run(process.execPath, ["--conditions=@midflight/source", follower, url, mode], { timeout: 60_000 });
  assert.equal(stderr, "");
  return stdout;
}

test("a process that has nothing to do but to follow ends by itself", async (t) => {
  const { server } = await serve(t);
  await follow(server.url, "idle");
});

test("a process that was told something ends by itself, with its streams and kept sockets open", async (t) => {
  const { server, registry } = await serve(t);
  await createFixture().publish(registry, 1, "v1");
  assert.equal(await follow(server.url, "waits"), "state true -\nentries 2 true\nasked\n");
});

test("a process whose registry is away ends by itself", async () => {
  assert.match(await follow("http://127.0.0.1:9", "waits"), /^state false REGISTRY_UNREACHABLE\n/);
});

test("a process whose registry's address does not answer ends by itself, while it still tries", async () => {
  // TEST-NET-1 (RFC 5737): nobody is there. Whether the network refuses or swallows it, the process must end.
  await follow("http://192.0.2.1:81", "idle");
});

import assert from "node:assert/strict";
import { test } from "node:test";
import { openMemoryRegistry } from "@midflight/registry";
import { createFixture } from "@midflight/registry/conformance";
import { findRelease, readHistory } from "../src/operation/history.ts";
import { readStatus } from "../src/operation/status.ts";
import type { Connection } from "../src/operation/connect.ts";

test("a release that is live again is known, also when the log begins after it", async () => {
  const registry = openMemoryRegistry();
  const f = createFixture();
  const published = [await f.publish(registry, 1, "a"), await f.publish(registry, 2, "b"), await f.publish(registry, 3, "c")];
  const [first] = published;
  assert.ok(first);
  await registry.append({ channel: f.channel, expect: published.at(-1)?.assign ?? null, entries: [f.assign(first.release, { number: 1 })], needs: [] });
  await registry.retain({ keepReleases: 1 });
  const config = { app: "shop", channel: "development", channelName: f.channel, projectDir: "/nowhere", services: [] };
  const connection = { registry, config, secrets: { root: f.root }, layout: { records: "/nowhere" } } as unknown as Connection;

  const history = await readHistory(connection);
  assert.deepEqual(history.releases.map(({ number, state }) => [number, state]), [[3, "superseded"], [1, "assigned"]]);
  assert.equal(findRelease(history, "r1").id, first.release);
  assert.equal((await readStatus(connection, history)).live?.number, 1);
});

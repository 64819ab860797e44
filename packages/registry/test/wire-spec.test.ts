import assert from "node:assert/strict";
import { readFile } from "node:fs/promises";
import { test } from "node:test";
import { heartbeatMs, maxEnclosedBlobs, maxEnclosedBytes, maxJsonBytes, maxPayloadBytes, paths, silenceMs } from "@midflight/protocol";
import { openMemoryRegistry } from "@midflight/registry";
import { blobGraceMs, maxBlobBytes, maxPageEntries, maxReportBytes, maxReportsPerChannel, rememberedMs } from "../src/limits.ts";
import { createRoutes } from "../src/server/routes.ts";
import { PackSender } from "../src/server/send-pack.ts";
import { Watchers } from "../src/server/watchers.ts";

const spec = await readFile(new URL("../../../spec/wire.md", import.meta.url), "utf8");

/** The rows of the table that comes first after a heading. */
function tableOf(heading: string): string[][] {
  const section = spec.split(`\n## ${heading}\n`)[1]?.split("\n## ")[0] ?? assert.fail(heading);
  return section.split("\n").filter((line) => line.startsWith("| ")).slice(2).map((line) => line.split("|").slice(1, -1).map((cell) => cell.trim()));
}

test("spec/wire.md names every request with its roles, and no other", () => {
  const registry = openMemoryRegistry();
  const watchers = new Watchers(registry, { heartbeatMs, stallMs: 1, maxWatchers: 1 });
  const routes = createRoutes(registry, watchers, new PackSender(registry, 1));
  watchers.close();
  const written = Object.fromEntries(tableOf("Requests").map(([request = "", roles = ""]) => [request.replaceAll("`", ""), roles]));
  assert.deepEqual(written, Object.fromEntries(Array.from(routes, ([request, { roles }]) => [request, roles.join(" ")])));
  const named = new Set([...routes.keys(), `GET ${paths.health}`].map((request) => request.split(" ")[1]));
  assert.deepEqual(named, new Set(Object.values(paths)));
});

test("spec/wire.md names the limits that hold", () => {
  assert.deepEqual(tableOf("Limits"), [
    ["a JSON body", `${maxJsonBytes} bytes`],
    ["a blob", `${maxBlobBytes} bytes`],
    ["a signed payload", `${maxPayloadBytes} bytes`],
    ["blobs that one append encloses", `${maxEnclosedBlobs}, and ${maxEnclosedBytes} bytes together`],
    ["entries of a page", `${maxPageEntries}`],
    ["a report", `${maxReportBytes} characters`],
    ["reports kept per channel", `${maxReportsPerChannel}`],
  ]);
  assert.ok(spec.includes(`every ${heartbeatMs / 1_000} seconds`));
  assert.ok(spec.includes(`for ${silenceMs / 1_000} seconds`));
  assert.deepEqual([blobGraceMs / 3_600_000, rememberedMs / 60_000], [1, 10]); // "its first hour", "ten minutes"
});

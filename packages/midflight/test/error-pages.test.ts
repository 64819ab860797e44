import assert from "node:assert/strict";
import { readFile } from "node:fs/promises";
import { test } from "node:test";
import { renderErrorPages } from "../../../scripts/write-error-pages.mjs";

test("explain prints what docs/errors.md says, word for word", async () => {
  const written = await readFile(new URL("../src/explain/error-pages.ts", import.meta.url), "utf8");
  assert.ok(written === renderErrorPages(), "they differ; run: node scripts/write-error-pages.mjs");
});

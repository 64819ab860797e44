import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { readFileSync } from "node:fs";
import { describe, test } from "node:test";
import type { Digest, Hash } from "@midflight/protocol";
import { analyzeUnit } from "../src/index.ts";

const hash: Hash = (bytes): Digest => `sha256:${createHash("sha256").update(bytes).digest("hex")}`;
const page = readFileSync(new URL("../../../spec/instrument.md", import.meta.url), "utf8");
/** Slots, door and registration; the page shows them once. */
const preamble = /var \$mfn,.*?\$mfm\.bind\(f\)\}/s;

function artifactOf(source: string): string {
  const { artifact, refused } = analyzeUnit("m.js", source, "esm", hash);
  assert.equal(refused, null);
  return artifact;
}

describe("spec/instrument.md", () => {
  const pairs = [...page.matchAll(/^#{2,3} (.+)\n(?:(?!#|```)[^\n]*\n)+```js\n([\s\S]*?)```\n\n```js\n([\s\S]*?)```$/gm)];

  test("shows a unit and every form", () => {
    assert.deepEqual(pairs.map((pair) => pair[1]), [...page.matchAll(/^## The unit$|^### .+$/gm)].map((match) => match[0].replace(/^#+ /, "")));
    assert.ok(pairs.length >= 10);
  });

  for (const [, form, source, artifact] of pairs) {
    test(`${form}: the artifact is what the page shows, line by line`, () => {
      const made = artifactOf(source!);
      assert.equal(form === "The unit" ? made : made.replace(preamble, ""), artifact);
      assert.equal(made.split("\n").length, source!.split("\n").length);
    });
  }
});

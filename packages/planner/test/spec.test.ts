import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { readFileSync } from "node:fs";
import { describe, test } from "node:test";
import { analyzeUnit } from "@midflight/planner";
import type { Digest } from "@midflight/protocol";

const text = readFileSync(new URL("../../../spec/instrument.md", import.meta.url), "utf8");
const { cases } = (await import(new URL("../../../e2e/forms/cases.mjs", import.meta.url).href)) as { readonly cases: readonly { readonly name: string }[] };
const hash = (bytes: Uint8Array | string): Digest => `sha256:${createHash("sha256").update(bytes).digest("hex")}` as Digest;

/** The artifact as the page shows it: without the head, and with short names for what is hashed. */
function shown(source: string): string {
  const { artifact } = analyzeUnit("m.mjs", source, "esm", hash);
  const names = new Map<string, string>();
  const short = (prefix: string) => (name: string): string => {
    if (!names.has(name)) names.set(name, `${prefix}${[...names.values()].filter((other) => other.startsWith(prefix)).length + 1}`);
    return names.get(name)!;
  };
  return artifact
    .replace(/;?var \$mfn,.*?function \$mfb\(f\)\{[^}]*\}/, "")
    .replaceAll(/\$mf_[a-z0-9]+/g, short("S"))
    .replaceAll(/\$mfc_[a-z0-9]+/g, short("D"))
    .replaceAll(/(\$mfd\d,)"[a-z0-9]+"/g, '$1"shape"');
}

describe("spec/instrument.md", () => {
  const examples = [...text.matchAll(/```js\n([^`]*)\n```\n```js artifact\n([^`]*)\n```/g)].map(([, source, artifact]) => ({ source: source!, artifact: artifact! }));

  test("has examples", () => {
    assert.ok(examples.length >= 7);
    assert.equal(examples.length, text.match(/```js artifact/g)?.length);
  });

  for (const { source, artifact } of examples) {
    test(`shows what becomes of ${source.slice(0, 50)}`, () => {
      assert.equal(shown(source), artifact);
    });
  }

  test("names only proofs that there are", () => {
    const named = [...text.matchAll(/Proof: (.*)$/gm)].flatMap(([, list]) => [...list!.matchAll(/"([^"]+)"/g)].map(([, name]) => name!));
    assert.ok(named.length > 40);
    const known = new Set(cases.map(({ name }) => name));
    assert.deepEqual(named.filter((name) => !known.has(name)), []);
  });
});

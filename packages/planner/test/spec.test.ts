import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { describe, test } from "node:test";

const page = readFileSync(new URL("../../../spec/instrument.md", import.meta.url), "utf8");
const { cases } = (await import(new URL("../../../e2e/forms/cases.mjs", import.meta.url).href)) as { readonly cases: readonly { readonly name: string }[] };

describe("the proofs in spec/instrument.md", () => {
  test("are cases that there are", () => {
    const [, proofs] = page.split("\n## Proofs\n");
    const named = [...(proofs ?? "").matchAll(/"([^"]+)"/g)].map(([, name]) => name ?? "");
    assert.ok(named.length > 40, `only ${named.length} are named`);
    const known = new Set(cases.map(({ name }) => name));
    assert.deepEqual(named.filter((name) => !known.has(name)), []);
  });
});

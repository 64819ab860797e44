import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { test } from "node:test";
import type { Digest, Hash } from "@midflight/protocol";
import { analyzeUnit, planTransition, type AppShape } from "../src/index.ts";

const hash: Hash = (bytes): Digest => `sha256:${createHash("sha256").update(bytes).digest("hex")}`;
const shape = (files: Readonly<Record<string, string>>): AppShape => ({
  units: new Map(Object.entries(files).map(([path, source]) => [path, analyzeUnit(path, source, "esm", hash)])), assets: new Map(), lock: null,
});

const price = "export function price() {\n  return 1;\n}\n";
const extra = "export function extra() {\n  return 2;\n}\n";
const using = 'import { extra } from "./extra.js";\nexport function price() {\n  return extra();\n}\n';

test("a new module is loaded when somebody imports it, and not before", () => {
  const boot = shape({ "price.js": price });
  const unused = planTransition({ boot, target: shape({ "price.js": price, "extra.js": extra }), hash });
  assert.deepEqual([unused.rung, unused.verdicts.map(({ unit }) => unit), unused.added], ["redefine", ["extra.js"], []]);
  const used = planTransition({ boot, target: shape({ "price.js": using, "extra.js": extra }), hash });
  assert.deepEqual(used.added, [{ unit: "extra.js", format: "esm" }]);
});

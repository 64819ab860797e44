import assert from "node:assert/strict";
import { test } from "node:test";
import { parseUnitOps } from "@midflight/protocol";

const digest = `sha256:${"0".repeat(64)}`;

function opsImporting(specifier: string): unknown {
  return { unit: "m.js", birth: "", artifact: digest, imports: [{ from: "module", name: "x", specifier, imported: "default", witness: null }], cells: [], bodies: [], members: [], removals: [] };
}

test("a transition cannot import a text that nobody signed", () => {
  const foreign = ["data:text/javascript,globalThis.pwned=1", "DATA:text/javascript,1", "file:///tmp/x.mjs", "https://example.com/x.mjs", "/tmp/x.mjs", "\\\\host\\x.mjs", " data:text/javascript,1"];
  for (const specifier of foreign) assert.throws(() => parseUnitOps(opsImporting(specifier)), { code: "OBJECT_INVALID" }, specifier);
  for (const specifier of ["node:fs", "fs", "@scope/name/part", "./sibling.js", "../up.js", "#internal"]) assert.ok(parseUnitOps(opsImporting(specifier)), specifier);
});

import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { test } from "node:test";
import type { Digest, Hash } from "@midflight/protocol";
import { analyzeUnit, planTransition, type AppShape } from "../src/index.ts";

const hash: Hash = (bytes): Digest => `sha256:${createHash("sha256").update(bytes).digest("hex")}`;
const shape = (units: Readonly<Record<string, string>>): AppShape => ({
  units: new Map(Object.entries(units).map(([unit, source]) => [unit, analyzeUnit(unit, source, "cjs", hash)])), assets: new Map(), lock: null,
});

/** The rung of another price, where the app hands a function that asks for it to `createServer`. */
function rungOf(makesServer: string, more: Readonly<Record<string, string>> = {}): string {
  const app = `${makesServer}\nconst { price } = require("./price.js");\ncreateServer((request, response) => response.end(String(price()))).listen(0);\n`;
  const withPrice = (cents: number): AppShape => shape({ "app.js": app, "price.js": `function price() {\n  return ${cents};\n}\nmodule.exports = { price };\n`, ...more });
  return planTransition({ boot: withPrice(1), target: withPrice(2), hash }).rung;
}

test("a function that is taken out of a required package is that package's, as an imported one is", () => {
  assert.equal(rungOf('const { createServer } = require("node:http");'), "patch");
  assert.equal(rungOf('const { createServer: createServer } = require("node:http");'), "patch");
  assert.equal(rungOf('let createServer;\n({ createServer } = require("node:http"));'), "patch");
});

test("one that may be the app's own instead may have called what it was handed", () => {
  const own = { "own.js": "module.exports = { createServer(fn) {\n  fn({}, { end: console.log });\n  return { listen() {} };\n} };\n" };
  assert.equal(rungOf('const { createServer } = require("./own.js");', own), "replace");
  assert.equal(rungOf('const { createServer = (fn) => { fn({}, { end: console.log }); return { listen() {} }; } } = require("node:http");'), "replace");
  assert.equal(rungOf('let { createServer } = require("node:http");\ncreateServer = require("./own.js").createServer;', own), "replace");
});

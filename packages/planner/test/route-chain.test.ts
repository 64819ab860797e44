import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { test } from "node:test";
import type { Digest, Hash } from "@midflight/protocol";
import { analyzeUnit, planTransition, type AppShape } from "../src/index.ts";

const hash: Hash = (bytes): Digest => `sha256:${createHash("sha256").update(bytes).digest("hex")}`;
const shape = (source: string): AppShape => ({ units: new Map([["app.cjs", analyzeUnit("app.cjs", source, "cjs", hash)]]), assets: new Map(), lock: null });
const rungOf = (source: string): string => planTransition({ boot: shape(source), target: shape(source.replace('"one"', '"two"')), hash }).rung;

const handler = 'function list(req, res) {\n  res.end("one");\n}\n';

test("a handler behind `router.route(path).get(…).post(…)` waits for requests, so its body can change", () => {
  assert.equal(rungOf(`"use strict";\nconst router = require("express").Router();\n${handler}router.route("/").get(list).post(list);\n`), "patch");
});

test("where the app's own code stands behind these names, the handler may have run", () => {
  const own = "const router = { route() {\n  return { get(fn) { fn({}, { end: console.log }); } };\n} };\n";
  assert.equal(rungOf(`"use strict";\n${own}${handler}router.route("/").get(list);\n`), "replace");
});

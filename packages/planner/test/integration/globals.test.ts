import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { createHash } from "node:crypto";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import os from "node:os";
import path from "node:path";
import { after, before, describe, test } from "node:test";
import type { Digest } from "@midflight/protocol";
import { nodeBinary, nodeMajors } from "../../../../scripts/node-versions.mjs";
import { analyzeUnit, planTransition, type AppShape } from "../../src/index.ts";
import { knownGlobals } from "../../src/node/globals.ts";

const hash = (text: string | Uint8Array): Digest => `sha256:${createHash("sha256").update(text).digest("hex")}`;
const shapeOf = (source: string): AppShape => ({ units: new Map([["m.mjs", analyzeUnit("m.mjs", source, "esm", hash)]]), assets: new Map(), lock: null });

describe("what the planner takes for Node's own names", () => {
  let directory: string;
  before(() => {
    directory = mkdtempSync(path.join(os.tmpdir(), "midflight-globals-"));
  });
  after(() => rmSync(directory, { recursive: true, force: true }));

  for (const major of nodeMajors) {
    test(`is there on Node ${major}`, () => {
      const file = path.join(directory, `names-${major}.mjs`);
      writeFileSync(file, `console.log(JSON.stringify(${JSON.stringify([...knownGlobals])}.filter((name) => !Object.hasOwn(globalThis, name))))`);
      assert.deepEqual(JSON.parse(execFileSync(nodeBinary(major), ["--no-warnings", file], { encoding: "utf8" })), []);
    });
  }

  test("does not depend on what the planner's own process has", () => {
    const rungs = ["absent", "present"].map((where) => {
      const scope = globalThis as Record<string, unknown>;
      if (where === "present") scope["loadAll"] = () => null;
      const [boot, target] = [1, 2].map((value) => shapeOf(`function make(){ return ${value} }\nconst list = [make];\nloadAll();\nexport const f = () => list`)) as [AppShape, AppShape];
      const { rung } = planTransition({ boot, target, hash });
      delete scope["loadAll"];
      return rung;
    });
    assert.deepEqual(rungs, ["replace", "replace"]);
  });
});

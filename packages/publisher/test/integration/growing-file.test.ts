import assert from "node:assert/strict";
import { appendFileSync, utimesSync } from "node:fs";
import path from "node:path";
import { test } from "node:test";
import { isMidflightError } from "@midflight/protocol";
import { readFolder } from "../../src/index.ts";
import { createProject, textOf } from "../project.ts";

test("a file that is written to in short steps is not taken half, and one that never rests is told by name", async (t) => {
  const project = createProject(t, { "src/a.js": "1;\n" });
  const { dir } = project;
  let steps = 0;
  const timer = setInterval(() => {
    steps += 1;
    if (steps <= 20) appendFileSync(path.join(dir, "src/a.js"), `${steps};\n`);
  }, 10);
  t.after(() => clearInterval(timer));
  appendFileSync(path.join(dir, "src/a.js"), "0;\n");
  const batch = await readFolder({ projectDir: dir, code: ["src"] });
  assert.match(textOf(batch, "src/a.js") ?? "", /^20;$/m, "it waited for the last step");

  const endless = setInterval(() => appendFileSync(path.join(dir, "src/a.js"), "more;\n"), 5);
  t.after(() => clearInterval(endless));
  project.write({ "src/b.js": "2;\n" });
  await assert.rejects(readFolder({ projectDir: dir, code: ["src"], unsettledMs: 300 }), (error) => isMidflightError(error) && error.code === "BUILD_UNSETTLED" && /src\/a\.js/.test(error.message + error.facts.what));
});

test("a writer that pauses for longer than between two looks is not taken half either", async (t) => {
  const { dir } = createProject(t, { "src/a.js": "0;\n" });
  let steps = 0;
  const timer = setInterval(() => {
    steps += 1;
    if (steps <= 5) appendFileSync(path.join(dir, "src/a.js"), `${steps};\n`);
  }, 150);
  t.after(() => clearInterval(timer));
  const batch = await readFolder({ projectDir: dir, code: ["src"] });
  assert.match(textOf(batch, "src/a.js") ?? "", /^5;$/m, "it waited for the last step");
});

test("a file that comes while the others rest belongs to the batch", async (t) => {
  const project = createProject(t, { "src/a.js": "1;\n" });
  const timer = setTimeout(() => project.write({ "src/late.js": "2;\n" }), 120);
  t.after(() => clearTimeout(timer));
  assert.equal(textOf(await readFolder({ projectDir: project.dir, code: ["src"] }), "src/late.js"), "2;\n");
});

test("a file from the future, as a wrong clock makes it, is taken as it is", async (t) => {
  const { dir } = createProject(t, { "src/a.js": "1;\n" });
  const future = new Date(Date.now() + 3_600_000);
  utimesSync(path.join(dir, "src/a.js"), future, future);
  assert.equal(textOf(await readFolder({ projectDir: dir, code: ["src"], unsettledMs: 300 }), "src/a.js"), "1;\n");
});

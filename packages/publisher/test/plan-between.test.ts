import assert from "node:assert/strict";
import { test } from "node:test";
import { createAnalyses, createCollector, planBetween, readFolder, type Analyses, type CollectedTree } from "../src/index.ts";
import { createProject } from "./project.ts";

/** The same, and how many texts had to be parsed. */
function countAnalyses(inner: Analyses): Analyses & { readonly made: readonly string[] } {
  const made: string[] = [];
  return {
    made,
    known: (path, digest, format) => inner.known(path, digest, format),
    analyse(path, source, digest, format) {
      if (inner.known(path, digest, format) === null) made.push(path);
      return inner.analyse(path, source, digest, format);
    },
  };
}

const files: Readonly<Record<string, string>> = {
  "package.json": '{ "type": "module" }\n',
  "main.js": 'import { price } from "./price.js";\nimport { name } from "./name.js";\nexport const label = () => `${name()} ${price()}`;\n',
  "price.js": "export function price() {\n  return 1;\n}\n",
  "name.js": 'export const name = () => "tea";\n',
};

test("of two trees a text that both hold is parsed once, and a third costs what changed in it", async (t) => {
  const project = createProject(t, files);
  const analyses = countAnalyses(createAnalyses());
  const collect = async (): Promise<CollectedTree> => createCollector({ commands: [], analyses }).collect(await readFolder({ projectDir: project.dir, code: ["."], isFinished: true }));
  const first = await collect();
  assert.deepEqual([...analyses.made].sort(), ["main.js", "name.js", "price.js"]);
  project.write({ "price.js": files["price.js"]!.replace("1", "2") });
  const second = await collect();
  project.write({ "name.js": files["name.js"]!.replace("tea", "coffee") });
  const third = await collect();
  assert.deepEqual(analyses.made.slice(3), ["price.js", "name.js"]);

  const plan = planBetween(first, second);
  assert.deepEqual([plan.isUnchanged, plan.rung, plan.verdicts.map(({ unit, rung }) => [unit, rung])], [false, "patch", [["price.js", "patch"]]]);
  assert.deepEqual(planBetween(first, third).verdicts.map(({ unit }) => unit), ["name.js", "price.js"]);
  assert.deepEqual(planBetween(third, await collect()), { isUnchanged: true, rung: "patch", verdicts: [] });
  assert.equal(analyses.made.length, 5, "planning parses nothing");
});

test("what installed packages differ by is told although no file of the app does", async (t) => {
  const project = createProject(t, { ...files, "package-lock.json": '{ "version": 1 }\n' });
  const collect = async (): Promise<CollectedTree> => createCollector({ commands: [] }).collect(await readFolder({ projectDir: project.dir, code: ["."], isFinished: true }));
  const before = await collect();
  project.write({ "package-lock.json": '{ "version": 2 }\n' });
  const plan = planBetween(before, await collect());
  assert.deepEqual([plan.isUnchanged, plan.rung], [false, "replace"]);
  assert.match(plan.verdicts[0]?.reason ?? "", /dependency/);
});

test("a JSON file that cannot be parsed is called that, with each of its readers once", async (t) => {
  const project = createProject(t, { "package.json": '{ "type": "module" }\n', "main.js": 'import limits from "./limits.json" with { type: "json" };\nexport const most = () => limits.most;\n', "limits.json": '{ "most": 5 }\n' });
  const collector = createCollector({ commands: [] });
  const collect = async (): Promise<CollectedTree> => collector.collect(await readFolder({ projectDir: project.dir, code: ["."], isFinished: true }));
  const before = await collect();
  project.write({ "limits.json": '{ "most": \n' });
  const { rung, verdicts } = planBetween(before, await collect());
  assert.equal(rung, "replace");
  assert.deepEqual(verdicts.map(({ unit, reason, evidence }) => [unit, reason, evidence]), [["limits.json", "it is no valid JSON: what imports it cannot start with it", ["main.js:1 reads it"]]]);
});

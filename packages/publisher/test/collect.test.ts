import assert from "node:assert/strict";
import { stripTypeScriptTypes } from "node:module";
import { test } from "node:test";
import { buildTree, isMidflightError, type ErrorCode } from "@midflight/protocol";
import { sha256 } from "@midflight/trust";
import { createCollector } from "../src/collect.ts";
import { contentOf, type Batch } from "../src/index.ts";

function batchOf(files: Readonly<Record<string, string>>, before?: Batch): Batch {
  const contents = Object.entries(files).map(([path, text]) => {
    const content = contentOf(Buffer.from(text));
    const old = before?.files.get(path);
    return [path, old?.digest === content.digest ? old : content] as const;
  });
  return { files: new Map(contents), lock: null, reason: "manual" };
}

async function refusal(files: Readonly<Record<string, string>>, code: ErrorCode, commands: { service: string; run: string }[] = []): Promise<string> {
  const error: unknown = await createCollector({ commands }).collect(batchOf(files)).then(
    () => assert.fail("the tree was not refused"),
    (e: unknown) => e,
  );
  assert.ok(isMidflightError(error), String(error));
  assert.equal(error.code, code);
  assert.match(error.facts.state ?? "", /Nothing was published/);
  return error.facts.what;
}

const esm = { "package.json": '{"type":"module"}' };

test("types are replaced by white space, so that every line and column stays", async () => {
  const text = "interface A { x: number }\nexport function f(a: A, b?: string): number {\n  return a.x + (b as string).length;\n}\n";
  const tree = await createCollector({ commands: [] }).collect(batchOf({ ...esm, "src/a.ts": text }));
  const unit = tree.shape.units.get("src/a.ts");
  assert.equal(unit?.source, stripTypeScriptTypes(text));
  assert.equal(unit?.source.length, text.length);
  assert.equal(unit?.artifact.split("\n").length, text.split("\n").length);
});

test("the tree is the one that the protocol builds, also after changes, removals and a folder that became a file", async () => {
  const collector = createCollector({ commands: [] });
  let batch: Batch | undefined;
  for (const files of [
    { ...esm, "src/a.js": "export const a = 1;", "src/lib/b.js": "export const b = 1;", "public/x.txt": "x" },
    { ...esm, "src/a.js": "export const a = 2;", "src/lib/b.js": "export const b = 1;", "public/x.txt": "x" },
    { ...esm, "src/a.js": "export const a = 2;", "src/lib": "now a file" },
    { ...esm, "src/a.js": "export const a = 2;", "src/lib/c.js": "export const c = 1;", "src/lib/d/e.js": "" },
  ]) {
    batch = batchOf(files, batch);
    const tree = await collector.collect(batch);
    const built = buildTree(tree.files, sha256);
    assert.equal(tree.root, built.root);
    assert.deepEqual([...tree.directories.keys()].sort(), [...built.blobs.keys()].sort());
    assert.deepEqual([...tree.files.keys()], Object.keys(files).sort());
    for (const [path, entry] of tree.files) {
      const blobs = tree.blobs(path);
      for (const [digest, read] of blobs) assert.equal(sha256(read()), digest);
      const digests = new Set(blobs.keys());
      if (entry.kind === "asset") assert.deepEqual([...digests], [entry.digest]);
      else assert.deepEqual(digests, new Set([entry.source, entry.artifact]));
    }
  }
});

test("an unchanged unit is the same analysis in the next tree", async () => {
  const collector = createCollector({ commands: [] });
  const first = batchOf({ ...esm, "a.js": "export const a = 1;", "b.js": "export const b = 1;" });
  const before = await collector.collect(first);
  const after = await collector.collect(batchOf({ ...esm, "a.js": "export const a = 2;", "b.js": "export const b = 1;" }, first));
  assert.equal(after.shape.units.get("b.js"), before.shape.units.get("b.js"));
  assert.notEqual(after.shape.units.get("a.js"), before.shape.units.get("a.js"));
  assert.equal(before.shape.units.get("a.js")?.source, "export const a = 1;");
});

test("a file's format follows its extension, then the nearest package.json, then its syntax", async () => {
  const tree = await createCollector({ commands: [] }).collect(
    batchOf({
      "package.json": '{"type":"module"}',
      "a.js": "export {};",
      "b.cjs": "exports.b = 1;",
      "c.cts": "exports.c = 1 as number;",
      "d.d.ts": "export declare const d: number;",
      "d.js.map": "{}",
      "e.json": "{}",
      "f.tsx": "<a/>",
      "legacy/package.json": '{"type":"commonjs"}',
      "legacy/a.js": "exports.a = 1;",
      "legacy/b.ts": "exports.b = 1 as number;",
      "legacy/c.mjs": "export {};",
      "open/package.json": "{}",
      "open/a.js": "exports.a = 1;",
      "open/b.js": "export const b = await 1;",
    }),
  );
  const kinds = Object.fromEntries([...tree.files].map(([path, e]) => [path, e.kind === "unit" ? e.format : e.inert ? "inert" : "asset"]));
  assert.deepEqual(kinds, {
    "a.js": "esm", "b.cjs": "cjs", "c.cts": "cjs", "d.d.ts": "inert", "d.js.map": "inert", "e.json": "asset", "f.tsx": "asset",
    "legacy/a.js": "cjs", "legacy/b.ts": "cjs", "legacy/c.mjs": "esm", "legacy/package.json": "asset",
    "open/a.js": "cjs", "open/b.js": "esm", "open/package.json": "asset", "package.json": "asset",
  });
});

test("a package.json that changes its type changes the format of what lies below", async () => {
  const collector = createCollector({ commands: [] });
  const first = batchOf({ "package.json": "{}", "a.js": "var a = 1;" });
  assert.equal((await collector.collect(first)).shape.units.get("a.js")?.format, "cjs");
  const second = batchOf({ "package.json": '{"type":"module"}', "a.js": "var a = 1;" }, first);
  assert.equal((await collector.collect(second)).shape.units.get("a.js")?.format, "esm");
});

test("a syntax error refuses the tree and names path, line and column", async () => {
  assert.match(await refusal({ ...esm, "src/a.js": "const a = 1;\nconst b = ;\n" }, "UNIT_SYNTAX"), /^src\/a\.js:2:11 /);
  assert.match(await refusal({ ...esm, "src/a.ts": "const a: number = 1;\nconst b: string = ;\n" }, "UNIT_SYNTAX"), /^src\/a\.ts:2:19 /);
  assert.match(await refusal({ ...esm, "src/a.ts": "export const a = 1;\nexport enum B { x }\n" }, "UNIT_SYNTAX"), /^src\/a\.ts:2:8 .*enum/);
  assert.match(await refusal({ "package.json": '{"type":', "a.js": "1" }, "UNIT_SYNTAX"), /^package\.json is not valid JSON/);
});

test("after a refused tree the next one is collected as if it had not been", async () => {
  const collector = createCollector({ commands: [] });
  const first = batchOf({ ...esm, "a.js": "export const a = 1;" });
  await collector.collect(first);
  await assert.rejects(collector.collect(batchOf({ ...esm, "a.js": "export const a = 2;", "b.js": "(" }, first)));
  const tree = await collector.collect(batchOf({ ...esm, "a.js": "export const a = 3;" }, first));
  assert.deepEqual([...tree.files.keys()], ["a.js", "package.json"]);
  assert.equal(tree.root, buildTree(tree.files, sha256).root);
});

test("an import of a file that is not there refuses the tree and names path, line and specifier", async () => {
  const what = await refusal({ ...esm, "src/a.js": 'import "./b.js";\nimport "./gone.js";\nimport "./gone-too.js";', "src/b.js": "" }, "BUILD_UNRESOLVED_IMPORT");
  assert.match(what, /^src\/a\.js:2 imports "\.\/gone\.js"/);
  assert.match(what, /src\/a\.js:3 \("\.\/gone-too\.js"\)/);
  await refusal({ "package.json": "{}", "a.cjs": 'const x = require("./gone");' }, "BUILD_UNRESOLVED_IMPORT");
  await refusal({ ...esm, "a.js": 'export * from "../outside.js";' }, "BUILD_UNRESOLVED_IMPORT");
});

test("removing a file that an unchanged unit imports refuses the tree", async () => {
  const collector = createCollector({ commands: [] });
  const first = batchOf({ ...esm, "a.js": 'import "./b.js";', "b.js": "" });
  await collector.collect(first);
  await assert.rejects(collector.collect(batchOf({ ...esm, "a.js": 'import "./b.js";' }, first)), (e) => isMidflightError(e) && e.code === "BUILD_UNRESOLVED_IMPORT");
});

test("what cannot be judged is not refused", async () => {
  const tree = await createCollector({ commands: [] }).collect(
    batchOf({
      "package.json": '{"type":"module","imports":{"#x":"./lib/x.js"}}',
      "a.js": [
        'import "#x"; import "fastify"; import "node:fs"; import "./b.js?v=1"; import "./lib/x.js#y"; import "../node_modules/z/z.js"; import "./with%20space.js";',
        'import "./typed.js"; export * from "./lib/index.js";',
        'export const later = () => import("./made-at-run-time.js");',
      ].join("\n"),
      "b.js": "",
      "typed.ts": "",
      "with space.js": "",
      "lib/x.js": "",
      "lib/index.js": "",
      "c.cjs": 'require("./lib"); require("./b"); try { require("./optional.node"); } catch {} function f() { return require("./lazy.js"); }',
    }),
  );
  assert.equal(tree.shape.units.size, 7);
});

test("a deleted entry file refuses the tree", async () => {
  for (const run of ["node src/server.js", "node --enable-source-maps --import ./x.js ./src/server.js --port 1", "NODE_ENV=production /usr/bin/node src/server"]) {
    assert.match(await refusal({ ...esm, "src/a.js": "" }, "ENTRY_MISSING", [{ service: "web", run }]), /^src\/server.* service web/);
    await createCollector({ commands: [{ service: "web", run }] }).collect(batchOf({ ...esm, "src/server.js": "" }));
  }
  for (const run of ["npm start", "node -e 1", "node /opt/tool.js", "node"]) await createCollector({ commands: [{ service: "web", run }] }).collect(batchOf(esm));
});

test("a minified unit is released as it is", async () => {
  const text = `export const t=[${Array.from({ length: 2000 }, (_, i) => i).join(",")}];`;
  const tree = await createCollector({ commands: [] }).collect(batchOf({ ...esm, "a.js": text }));
  const entry = tree.files.get("a.js");
  assert.ok(entry?.kind === "unit");
  assert.equal(entry.artifact, entry.source);
});

import assert from "node:assert/strict";
import { SourceMap, type SourceMapPayload } from "node:module";
import { test } from "node:test";
import type { FlatTree } from "@midflight/protocol";
import { sha256 } from "@midflight/trust";
import { createCollector } from "../src/collect.ts";
import { findDiffering } from "../src/routes.ts";
import { contentOf, type Batch } from "../src/index.ts";

function batchOf(files: Readonly<Record<string, string>>): Batch {
  return { files: new Map(Object.entries(files).map(([path, text]) => [path, contentOf(Buffer.from(text))])), lock: null, reason: "manual" };
}

/** Lines 1, 2 and 3 of `a.ts`, all on one line, as a compiler joins what does not end a statement. */
const body = "const pick = (a) => a ? one(a) : two(a);";
const at = (name: string): number => body.indexOf(name);
const digits = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
function vlq(value: number): string {
  let rest = value < 0 ? -value * 2 + 1 : value * 2;
  let text = "";
  do {
    text += digits[(rest & 31) | (rest > 31 ? 32 : 0)];
    rest >>= 5;
  } while (rest > 0);
  return text;
}
const mappings = [[0, 0, 0, 0], [at("one"), 0, 1, 2], [at("two") - at("one"), 0, 1, 0]].map((fields) => fields.map(vlq).join("")).join(",");
const map = JSON.stringify({ version: 3, file: "a.js", sources: ["../src/a.ts"], names: [], sourcesContent: ["über"], mappings: `;${mappings}` });
const unit = (tail: string): string => `import { one, two } from "./b.js";\n${body}\nexport { pick };\n${tail}`;
const b = "export const one = (a) => a;\nexport const two = (a) => a;\n";
const files = { "package.json": '{"type":"module"}', "dist/a.js": unit("//# sourceMappingURL=a.js.map\n"), "dist/b.js": b, "dist/a.js.map": map };

/** The original line, from 1, of what the artifact has at the last place of `name` on its second line. */
function lineOf(artifact: string, json: string, name: string): number {
  const [, line = ""] = artifact.split("\n");
  const found = new SourceMap(JSON.parse(json) as SourceMapPayload).findEntry(1, line.lastIndexOf(name));
  return "originalLine" in found ? found.originalLine + 1 : 0;
}

test("a source map is released as that of the artifact, in which guards moved what stands behind them", async () => {
  const tree = await createCollector({ commands: [] }).collect(batchOf(files));
  const { artifact } = tree.shape.units.get("dist/a.js")!;
  assert.notEqual(artifact.indexOf("one(a)"), files["dist/a.js"].indexOf("one(a)"));
  const [[digest, read] = []] = [...tree.blobs("dist/a.js.map")];
  const released = Buffer.from(read!()).toString();
  assert.equal(sha256(released), digest);
  assert.deepEqual(tree.files.get("dist/a.js.map"), { kind: "asset", digest, bytes: Buffer.byteLength(released), inert: true });
  assert.deepEqual(["pick", "one(", "two("].map((name) => lineOf(artifact, released, name)), [1, 2, 3]);
  assert.deepEqual({ ...(JSON.parse(released) as object), mappings: "" }, { ...(JSON.parse(map) as object), mappings: "" });
});

test("a map inside the unit is brought up to the artifact, and does not make the unit look minified", async () => {
  const long = JSON.stringify({ ...(JSON.parse(map) as object), sourcesContent: ["x".repeat(20_000)] });
  const tail = `//# sourceMappingURL=data:application/json;base64,${Buffer.from(long).toString("base64")}`;
  const tree = await createCollector({ commands: [] }).collect(batchOf({ "package.json": '{"type":"module"}', "dist/a.js": unit(tail), "dist/b.js": b }));
  const { artifact, refused } = tree.shape.units.get("dist/a.js")!;
  assert.equal(refused, null);
  const inline = Buffer.from(artifact.slice(artifact.lastIndexOf(",") + 1), "base64").toString();
  assert.deepEqual(["pick", "one(", "two("].map((name) => lineOf(artifact, inline, name)), [1, 2, 3]);
});

test("the tree depends on the files alone, whatever was there before", async () => {
  const unlinked = { ...files, "dist/a.js": unit("") };
  const shared = { ...files, "dist/b.js": `${b}//# sourceMappingURL=a.js.map` };
  const omit = (name: string): typeof files => Object.fromEntries(Object.entries(files).filter(([file]) => file !== name)) as typeof files;
  const [without, bare] = [omit("dist/a.js"), omit("dist/a.js.map")];
  const damaged = { ...files, "dist/a.js.map": "{" };
  const elsewhere = { ...files, "dist/a.js": unit("//# sourceMappingURL=../../outside.js.map\n") };
  const states = [files, unlinked, files, shared, files, without, files, bare, files, damaged, elsewhere, files];
  const collector = createCollector({ commands: [] });
  for (const state of states) {
    const { root } = await collector.collect(batchOf(state));
    assert.equal(root, (await createCollector({ commands: [] }).collect(batchOf(state))).root);
  }
  for (const plain of [unlinked, shared, without, damaged, elsewhere]) {
    const tree = await createCollector({ commands: [] }).collect(batchOf(plain));
    const entry = tree.files.get("dist/a.js.map");
    assert.equal(entry?.kind === "asset" && entry.digest, sha256(plain["dist/a.js.map"]));
  }
});

test("a map that came, went or changed is nothing to tell of", async () => {
  const collect = async (more: Record<string, string>): Promise<{ files: FlatTree }> => createCollector({ commands: [] }).collect(batchOf({ ...files, ...more }));
  const [plain, other, more] = [await collect({}), await collect({ "dist/a.js.map": map.replace("über", "unter"), "dist/b.js": "export const one = 1;\nexport const two = 2;\n" }), await collect({ "dist/b.js.map": map })];
  assert.deepEqual([...findDiffering(plain, other)], ["dist/b.js"]);
  assert.deepEqual([findDiffering(plain, more).size, findDiffering(more, plain).size], [0, 0]);
});

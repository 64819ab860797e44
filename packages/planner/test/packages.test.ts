import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { existsSync, mkdirSync, mkdtempSync, realpathSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { createRequire } from "node:module";
import { tmpdir } from "node:os";
import path from "node:path";
import { after, before, describe, test } from "node:test";
import { pathToFileURL } from "node:url";
import { analyzeUnit, planTransition, type AppShape, type Plan } from "@midflight/planner";
import type { Digest } from "@midflight/protocol";
import { candidatesOf, resolveUnit } from "../src/node/app.ts";

const hash = (bytes: Uint8Array | string): Digest => `sha256:${createHash("sha256").update(bytes).digest("hex")}`;
type Files = Readonly<Record<string, string>>;

const links = new Map([["node_modules/@shop/lib", "packages/lib"], ["packages/app/node_modules/tools", "packages/tools"], ["node_modules/old", "packages/old"], ["packages/app/node_modules/shadowed", ""], ["node_modules/shadowed", "packages/shadowed"]]);

const files: Files = {
  "package.json": '{"name":"root","type":"module","imports":{"#top":"./packages/app/top.js"}}',
  // What a name leads to that leads elsewhere must not be this.
  "index.js": "",
  "packages/app/package.json": '{"name":"@shop/app","type":"module","exports":{".":"./main.js","./*":"./src/*.js"},"imports":{"#config":"./src/config.js","#db/*":"./src/db/*.js","#lib":"@shop/lib","#own":{"node":"./src/config.js","default":"./main.js"}}}',
  "packages/app/main.js": "export const a = 1;",
  "packages/app/top.js": "",
  "packages/app/require.cjs": "",
  "packages/app/src/config.js": "",
  "packages/app/src/db/pool.js": "",
  "packages/lib/package.json": '{"name":"@shop/lib","type":"module","exports":{".":{"import":"./esm.js","require":"./cjs.cjs"},"./deep/*":"./src/deep/*.js","./deep/private/*":null,"./list":["./list.js","./esm.js"],"./nested":{"node":{"import":"./esm.js"},"default":"./list.js"}}}',
  "packages/lib/esm.js": "",
  "packages/lib/cjs.cjs": "",
  "packages/lib/list.js": "",
  "packages/lib/src/deep/x.js": "",
  "packages/lib/src/deep/private/y.js": "",
  "packages/tools/package.json": '{"name":"tools","main":"./lib/start"}',
  "packages/tools/lib/start.js": "",
  "packages/tools/lib/more.js": "",
  "packages/old/package.json": '{"name":"old"}',
  "packages/old/index.js": "",
  "packages/old/folder/package.json": '{"main":"other.js"}',
  "packages/old/folder/other.js": "",
  "packages/old/folder/index.js": "",
  "packages/shadowed/package.json": '{"name":"shadowed"}',
  "packages/shadowed/index.js": "",
  "node_modules/taken/package.json": '{"name":"taken","main":"taken.js"}',
  "node_modules/taken/taken.js": "",
};

function shapeOf(texts: Files, more: Partial<AppShape> = {}): AppShape {
  const units = Object.entries(texts).filter(([file]) => !file.endsWith(".json"));
  return {
    units: new Map(units.map(([file, text]) => [file, analyzeUnit(file, text, file.endsWith(".cjs") ? "cjs" : "esm", hash)])),
    assets: new Map(), lock: null, texts: new Map(Object.entries(texts).filter(([file]) => file.endsWith(".json"))), links, ...more,
  };
}

describe("a package's specifier means what Node.js makes of it", () => {
  let root = "";
  before(() => {
    root = mkdtempSync(path.join(realpathSync(tmpdir()), "midflight-packages-"));
    for (const [file, text] of Object.entries(files)) {
      mkdirSync(path.dirname(path.join(root, file)), { recursive: true });
      writeFileSync(path.join(root, file), text);
    }
    for (const [place, target] of links) {
      mkdirSync(path.dirname(path.join(root, place)), { recursive: true });
      if (target !== "") symlinkSync(path.join(root, target), path.join(root, place));
      else {
        mkdirSync(path.join(root, place));
        writeFileSync(path.join(root, place, "index.js"), "");
      }
    }
    for (const directory of ["packages/app", "packages/lib"]) writeFileSync(path.join(root, directory, "resolve.mjs"), "export const resolve = (specifier) => import.meta.resolve(specifier);");
  });
  after(() => rmSync(root, { recursive: true, force: true }));

  const specifiers = [
    "@shop/lib", "@shop/lib/deep/x", "@shop/lib/deep/private/y", "@shop/lib/list", "@shop/lib/nested", "@shop/lib/esm.js", "@shop/app", "@shop/app/config", "@shop/app/db/pool",
    "tools", "tools/lib/more.js", "old", "old/index.js", "shadowed", "taken", "taken/taken.js", "#config", "#db/pool", "#lib", "#own", "#top", "#unknown", "express", "node:fs", "fs", "./nothing.js",
  ];
  for (const from of ["packages/app/main.js", "packages/app/require.cjs", "packages/lib/esm.js"]) {
    for (const specifier of specifiers) {
      test(`${specifier} from ${from}`, async () => {
        assert.equal(resolveUnit(shapeOf(files), from, specifier), await foundByNode(path.join(root, from), specifier));
      });
    }
  }
  test("a directory of another package that has a package.json of its own", async () => {
    assert.equal(resolveUnit(shapeOf(files), "packages/app/require.cjs", "old/folder"), await foundByNode(path.join(root, "packages/app/require.cjs"), "old/folder"));
  });
  test("and of these many are the app's own, or this compared nothing with nothing", () => {
    const found = specifiers.map((specifier) => resolveUnit(shapeOf(files), "packages/app/main.js", specifier)).filter((unit) => unit !== null);
    assert.equal(new Set(found).size, 10);
  });

  /** The app's file that Node.js finds, null for what is none. */
  async function foundByNode(from: string, specifier: string): Promise<string | null> {
    try {
      const found = from.endsWith(".cjs") ? createRequire(from).resolve(specifier) : new URL(await resolveAsEsm(from, specifier)).pathname;
      const inside = existsSync(found) ? path.relative(root, realpathSync(found)) : "..";
      return Object.hasOwn(files, inside) ? inside : null;
    } catch {
      return null;
    }
  }

  /** What is resolved from a file is resolved from its directory. */
  async function resolveAsEsm(from: string, specifier: string): Promise<string> {
    const { resolve } = (await import(pathToFileURL(path.join(path.dirname(from), "resolve.mjs")).href)) as { resolve: (specifier: string) => string };
    return resolve(specifier);
  }
});

test("a condition that the command may set leaves it open who is imported", () => {
  const open = { ...files, "packages/lib/package.json": '{"name":"@shop/lib","type":"module","exports":{"@shop/source":"./esm.js","default":"./list.js"}}' };
  assert.deepEqual(candidatesOf(shapeOf(open), "packages/app/main.js", "@shop/lib"), ["packages/lib/list.js", "packages/lib/esm.js"]);
});

test("a CommonJS module that also uses import() may mean either build of a package", () => {
  const both = { ...files, "packages/app/require.cjs": 'const lib = require("@shop/lib");\nexports.load = () => import("@shop/lib");\n' };
  assert.deepEqual(candidatesOf(shapeOf(both), "packages/app/require.cjs", "@shop/lib"), ["packages/lib/cjs.cjs", "packages/lib/esm.js"]);
});

test("a loader of TypeScript finds x.ts where x.js is written", () => {
  const typed = { "a.ts": 'import { b } from "./b.js";\nexport const a = () => b();\n', "b.ts": "export const b = () => 1;\n" };
  assert.equal(resolveUnit(shapeOf(typed), "a.ts", "./b.js"), "b.ts");
  assert.equal(resolveUnit(shapeOf({ ...typed, "b.js": "" }), "a.ts", "./b.js"), "b.js");
});

describe("an edit of a package of the app reaches those who import it by name", () => {
  const app: Files = {
    "package.json": "{}",
    "lib/package.json": '{"name":"lib","type":"module","exports":"./index.js"}',
    "lib/index.js": "export const RATE = 2;\nexport function double(n) {\n  return n * RATE;\n}\n",
    "app.js": 'import { RATE, double } from "lib";\nexport function price(n) {\n  return double(n) + RATE;\n}\n',
  };
  const plan = (from: Files, to: Files, more: Partial<AppShape> = {}): Plan => planTransition({ boot: shapeOf(from, { links: new Map([["node_modules/lib", "lib"]]), ...more }), target: shapeOf(to, { links: new Map([["node_modules/lib", "lib"]]), ...more }), hash });

  test("a changed constant", () => {
    const { rung, units } = plan(app, { ...app, "lib/index.js": app["lib/index.js"]!.replace("= 2", "= 3") });
    assert.deepEqual([rung, units.map(({ unit }) => unit)], ["redefine", ["app.js", "lib/index.js"]]);
    assert.deepEqual(units[0]!.ops.imports.filter(({ name }) => name === "RATE"), [{ from: "overlay", name: "RATE", unit: "lib/index.js", local: "RATE" }]);
  });
  test("a constant that was read at the start", () => {
    const early = { ...app, "app.js": `${app["app.js"]}export const START = "at " + RATE + process.pid;\n` };
    assert.equal(plan(early, { ...early, "lib/index.js": app["lib/index.js"]!.replace("= 2", "= 3") }).rung, "replace");
  });
  test("a new module that is imported by the package's name", () => {
    const open = { ...app, "lib/package.json": '{"name":"lib","type":"module","exports":{".":"./index.js","./*":"./*.js"}}' };
    const { rung, added } = plan(open, { ...open, "lib/tax.js": "export function tax(n) {\n  return n / 5;\n}\n", "app.js": 'import { RATE, double } from "lib";\nimport { tax } from "lib/tax";\nexport function price(n) {\n  return double(n) + RATE + tax(n);\n}\n' });
    assert.deepEqual([rung, added.map(({ unit }) => unit)], ["redefine", ["lib/tax.js"]]);
  });
  test("an alias that only a loader knows may be the changed module", () => {
    const aliased = { ...app, "app.js": app["app.js"]!.replace('from "lib"', 'from "@/lib"') };
    const dependencies = { locked: new Map([["node_modules/express", { name: "express", version: "5.3.0", content: "" }]]), installed: null };
    const edited = { ...aliased, "lib/index.js": app["lib/index.js"]!.replace("= 2", "= 3") };
    const refused = plan(aliased, edited, { dependencies });
    assert.deepEqual([refused.rung, refused.verdicts[0]!.reason], ["replace", 'app.js imports "@/lib", which is no package that is installed: a loader may take it for this module']);
    assert.equal(plan(aliased, { ...aliased, "lib/index.js": app["lib/index.js"]!.replace("n * RATE", "n * RATE * 2") }, { dependencies }).rung, "replace", "it may have run when the process started");
    const known = { ...app, "app.js": `import "express";\nimport "node:fs";\nimport path from "path";\n${app["app.js"]}` };
    assert.equal(plan(known, { ...known, "lib/index.js": edited["lib/index.js"] }, { dependencies }).rung, "redefine");
  });
  test("where a link leads elsewhere, or a condition decides, it needs a new process", () => {
    const moved = planTransition({ boot: shapeOf(app, { links: new Map() }), target: shapeOf(app, { links: new Map([["node_modules/lib", "lib"]]) }), hash });
    assert.deepEqual([moved.rung, moved.verdicts[0]!.reason], ["replace", "node_modules/lib leads to another package of the app"]);
    const open = { ...app, "lib/package.json": '{"name":"lib","type":"module","exports":{"source":"./src.js","default":"./index.js"}}', "lib/src.js": "export const RATE = 5;\nexport const double = (n) => n;\n" };
    const decided = plan(open, { ...open, "lib/src.js": "export const RATE = 6;\nexport const double = (n) => n;\n" });
    assert.deepEqual([decided.rung, decided.verdicts[0]!.reason], ["replace", 'whether app.js imports it as "lib" depends on conditions that are known only at run time']);
  });
});

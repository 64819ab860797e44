import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { globSync, readFileSync } from "node:fs";
import { stripTypeScriptTypes } from "node:module";
import { describe, test } from "node:test";
import { fileURLToPath } from "node:url";
import { analyzeUnit, planTransition, type UnitAnalysis } from "@midflight/planner";
import type { Digest } from "@midflight/protocol";

const root = fileURLToPath(new URL("../../../", import.meta.url));
const hash = (bytes: Uint8Array | string): Digest => `sha256:${createHash("sha256").update(bytes).digest("hex")}`;
const analyze = (source: string, format: "esm" | "cjs", former?: UnitAnalysis): UnitAnalysis => analyzeUnit("unit.js", source, format, hash, former);

/** All that an analysis says, without what two of the same text cannot share. */
function pictureOf({ detail, ...plain }: UnitAnalysis): unknown {
  if (detail === null) return plain;
  const { facts, scopes, placements } = detail;
  const sites = facts.sites.all.map(({ owner, nested, fn, member, ...site }) => ({
    ...site, owner: owner?.key, nested: nested.map(({ key }) => key), fn: [fn.start, fn.end], member: member?.start,
    own: facts.ownText(facts.byKey.get(site.key)!), shape: facts.shapes.get(facts.byKey.get(site.key)!), placement: placements.get(facts.byKey.get(site.key)!), top: facts.topSites.findIndex(({ key }) => key === site.key),
  }));
  return {
    plain, sites,
    program: JSON.stringify(detail.program, (_, value: unknown) => (typeof value === "bigint" || value instanceof RegExp ? String(value) : value)),
    comments: detail.syntax.comments.map(({ start, end, type, value }) => [start, end, type, value]),
    references: scopes.references.map(({ parent, ...reference }) => ({ ...reference, parent: [parent.type, parent.start] })),
    byName: [...scopes.byName].map(([name, all]) => [name, all.map(({ start }) => start)]),
    moduleNames: [...scopes.moduleNames].sort(),
    classes: [...facts.sites.classes].map(([name, { start }]) => [name, start]),
    declarations: [...facts.declarations.values()].map(({ value, ...declaration }) => ({ ...declaration, value: [value?.start, value?.end] })),
    effects: facts.effects.map((effect) => ({ ...effect })),
    bindings: [[...facts.imports.values()], [...facts.exports], facts.exportStars],
    text: detail.text.normalise(0, plain.source.length),
    doors: [...detail.classDoors],
    hooks: JSON.stringify(detail.hooks, (key, value: unknown) => (key === "parent" ? undefined : value)),
    isOpen: detail.hasOpenImport,
  };
}

/** A number below `limit`, the next of a fixed row. */
function createRow(seed: number): (limit: number) => number {
  let state = seed;
  return (limit) => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    return Math.floor((state / 2 ** 32) * limit);
  };
}

const pieces = [
  "", ";", " ", "\n", "// note\n", "/* note */", "export function added() { return 1; }\n", "function added() { return () => added; }\n", "const added = 1;\n", "var added, fetch;\n", "{ let added; }\n",
  "added()\n", "(added)\n", "/added/.test(fetch)\n", "import { added } from \"./added.js\";\n", "class Added { go() { return super.go; } }\n", "`${added}`;\n", "\"use strict\";\n", "else added();\n", "}", "{", "(", "\"",
];

/** What saving a file may do to a text: something comes, goes, or is written elsewhere. */
function edit(source: string, row: (limit: number) => number): string {
  const starts = [...source.matchAll(/^(?=\S)/gm)].map(({ index }) => index);
  const at = row(3) === 0 ? row(source.length) : (starts[row(starts.length)] ?? 0);
  const to = starts[row(starts.length)] ?? 0;
  switch (row(4)) {
    case 0:
      return source.slice(0, at) + pieces[row(pieces.length)]! + source.slice(at);
    case 1:
      return source.slice(0, at) + pieces[row(pieces.length)]! + source.slice(at + row(40));
    case 2:
      return source.slice(0, Math.min(at, to)) + source.slice(Math.max(at, to));
    default: {
      // The same length, so that what follows stays where it is.
      const word = /[a-z]{3,}/.exec(source.slice(at));
      if (word === null) return source;
      const start = at + word.index;
      return source.slice(0, start) + word[0].replace(/./, (letter) => (letter === "x" ? "y" : "x")) + source.slice(start + word[0].length);
    }
  }
}

const typed = globSync(["examples/shop/src/*.ts", "packages/planner/src/node/*.ts", "packages/agent/src/runtime/*.ts"], { cwd: root }).sort();
const plain = globSync(["e2e/forms/*.mjs", "examples/**/*.cjs"], { cwd: root }).sort().filter((file) => !file.includes("node_modules"));
const units = [...typed.map((file) => [file, stripTypeScriptTypes(readFileSync(root + file, "utf8"))] as const), ...plain.map((file) => [file, readFileSync(root + file, "utf8")] as const)];

describe("an analysis that takes over what a former one has", () => {
  test("says what one of the text alone says, whatever was saved in between", () => {
    assert.ok(units.length > 60, `only ${units.length} units`);
    const counts = { taken: 0, moved: 0, refused: 0 };
    for (const [at, [file, text]] of units.entries()) {
      const row = createRow(at + 1);
      const format = file.endsWith(".cjs") || row(6) === 0 ? "cjs" : "esm";
      let former = analyze(text, format);
      let source = text;
      for (let save = 0; save < 6; save += 1) {
        const saved = edit(source, row);
        const made = analyze(saved, format, former);
        assert.deepEqual(pictureOf(made), pictureOf(analyze(saved, format)), `${file}, save ${save}`);
        const [before, nodes] = [new Set(former.detail?.syntax.statements.map(({ origin }) => origin)), new Set<unknown>(former.detail?.program.body)];
        for (const { node, origin } of made.detail?.syntax.statements ?? []) {
          if (nodes.has(node)) counts.taken += 1;
          else if (before.has(origin)) counts.moved += 1;
        }
        if (made.refused !== null) counts.refused += 1;
        // A text that cannot be parsed is corrected.
        else [former, source] = [made, saved];
      }
    }
    assert.ok(counts.taken > 1_000, `only ${counts.taken} statements were taken over`);
    assert.ok(counts.moved > 300, `only ${counts.moved} statements that moved were copied`);
    assert.ok(counts.refused > 30, `only ${counts.refused} texts were refused`);
  });

  test("leads to the same plans, there and back", () => {
    for (const [at, [file, text]] of units.entries()) {
      const row = createRow(at + 1_000);
      const format = file.endsWith(".cjs") ? "cjs" : "esm";
      const boot = analyze(text, format);
      const plansWith = (target: UnitAnalysis): string[] => {
        const [from, to] = [boot, target].map((unit) => ({ units: new Map([["unit.js", unit]]), assets: new Map(), lock: null }));
        return [planTransition({ boot: from!, target: to!, hash }), planTransition({ boot: to!, target: from!, hash })].map((plan) => JSON.stringify(plan));
      };
      let former = boot;
      for (let save = 0; save < 3; save += 1) {
        const saved = edit(former.source, row);
        const made = analyze(saved, format, former);
        assert.deepEqual(plansWith(made), plansWith(analyze(saved, format)), `${file}, save ${save}`);
        if (made.refused === null) former = made;
      }
    }
  });

  for (const [what, before, after] of [
    ["an end that what follows decides", "const a = f\nconst b = 1;\n", "const a = f\n(g, b = 1);\n"],
    ["a key that another statement no longer uses up", "app.get(\"/a\", () => 1);\napp.get(\"/a\", () => 2);\n", "app.get(\"/b\", () => 1);\napp.get(\"/a\", () => 2);\n"],
    ["a key that another statement uses up", "app.get(\"/b\", () => 1);\napp.get(\"/a\", () => 2);\n", "app.get(\"/a\", () => 1);\napp.get(\"/a\", () => 2);\n"],
    ["a class whose place another one takes", "exports.B = class {};\nexports.A = class { go() {} };\n", "exports.A = class {};\nexports.A = class { go() {} };\n"],
    ["labels and names of the language that moved", "f();\nfunction g() { here: for (;;) { if (new.target) break here; else continue here; } }\n", "first();\nfunction g() { here: for (;;) { if (new.target) break here; else continue here; } }\n"],
    ["what begins with a slash or a brace", "class A {}\nf();\nfunction g() {}\nf();\n", "class A {}\n/x/.test(1);\nfunction g() {}\n{}\n"],
  ] as const) {
    test(`sees ${what}`, () => {
      assert.deepEqual(pictureOf(analyze(after, "cjs", analyze(before, "cjs"))), pictureOf(analyze(after, "cjs")));
    });
  }

  test("tells an error where one of the text alone tells it", () => {
    const former = analyze("export const a = 1;\nexport function f() {}\nexport class A {}\n", "esm");
    for (const source of ["export const a = 1;\nexport function f() {}\nexport class A {}\nexport const f = 2;", "let f;\n                  \nexport function f() {}\n", "export const a = 1;\nexport function f() {}\nexport { f };\n", "export const a = 1;\nexport function f() {}\nexport class A {}\nexport { b };"]) {
      const made = analyze(source, "esm", former);
      assert.deepEqual(made.refused, analyze(source, "esm").refused);
      assert.equal(made.refused?.code, "UNIT_SYNTAX");
    }
  });

  test("takes nothing over into another mode of the language", () => {
    const former = analyze("\"use xtrict\";\nfunction f() { return 010; }\n", "cjs");
    assert.equal(former.refused, null);
    assert.equal(analyze("\"use strict\";\nfunction f() { return 010; }\n", "cjs", former).refused?.code, "UNIT_SYNTAX");
  });

  test("asks anew what a name means that another statement declares, or no longer declares", () => {
    const text = (name: string): string => `const ${name} = () => 1;\nexport function f() { return structuredClone; }\n`;
    const former = analyze(text("structuredCl0ne"), "esm");
    const made = analyze(text("structuredClone"), "esm", former);
    assert.equal(made.detail?.program.body[1], former.detail?.program.body[1]);
    assert.deepEqual([former, made].map(({ detail }) => detail?.scopes.byName.get("structuredClone")?.at(-1)?.where), ["global", "module"]);
  });
});

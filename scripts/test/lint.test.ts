import assert from "node:assert/strict";
import { execFileSync, spawnSync } from "node:child_process";
import fs from "node:fs";
import os from "node:os";
import path from "node:path";
import { after, describe, test } from "node:test";
import { fileURLToPath } from "node:url";

const repository = fileURLToPath(new URL("../..", import.meta.url));
const workshop = fs.mkdtempSync(path.join(os.tmpdir(), "midflight-lint-"));
after(() => fs.rmSync(workshop, { recursive: true, force: true }));

/** Lints these files as if they stood in the repository; returns `path: rule` of each finding, sorted. */
function lint(sources: Readonly<Record<string, string>>): string[] {
  const copy = fs.mkdtempSync(path.join(workshop, "copy-"));
  for (const name of [".oxlintrc.json", "package.json", "tsconfig.base.json"]) fs.copyFileSync(path.join(repository, name), path.join(copy, name));
  fs.symlinkSync(path.join(repository, "node_modules"), path.join(copy, "node_modules"));
  for (const [name, source] of Object.entries(sources)) {
    const file = path.join(copy, name);
    fs.mkdirSync(path.dirname(file), { recursive: true });
    fs.writeFileSync(file, source);
    const folder = name.split("/").slice(0, 2).join("/");
    fs.writeFileSync(path.join(copy, folder, "tsconfig.json"), '{ "extends": "../../tsconfig.base.json", "include": ["src"] }');
  }
  const oxlint = path.join(repository, "node_modules/oxlint/bin/oxlint");
  const { stdout, stderr } = spawnSync(process.execPath, [oxlint, "--format=json"], { cwd: copy, encoding: "utf8" });
  assert.ok(stdout.startsWith("{"), `oxlint did not run: ${stdout}${stderr}`);
  const found: { diagnostics: { code: string; filename: string }[] } = JSON.parse(stdout);
  return found.diagnostics.map((one) => `${one.filename}: ${one.code}`).sort();
}

function nearestConfig(folder: string): string {
  const config = path.join(folder, "tsconfig.json");
  return folder === "." || fs.existsSync(path.join(repository, config)) ? config : nearestConfig(path.dirname(folder));
}

describe("lint", () => {
  test("judges every source by the settings that it is compiled with", () => {
    // The linter takes the nearest tsconfig.json; a file that this one does not list is judged by none of our settings.
    const sources = execFileSync("git", ["ls-files", "--cached", "--others", "--exclude-standard", "*.ts", "scripts/*.mjs"], { cwd: repository, encoding: "utf8" })
      .trim().split("\n").filter((file) => !/^examples\/|\/fixtures\//.test(file) && fs.existsSync(path.join(repository, file)));
    const byConfig = new Map<string, string[]>();
    for (const file of sources) {
      const config = nearestConfig(path.dirname(file));
      byConfig.set(config, [...(byConfig.get(config) ?? []), file]);
    }
    assert.ok(byConfig.size > 10, `only ${byConfig.size} found`);
    const compiler = path.join(repository, "node_modules/typescript/bin/tsc");
    for (const [config, files] of byConfig) {
      const shown = execFileSync(process.execPath, [compiler, "-p", config, "--showConfig"], { cwd: repository, encoding: "utf8" });
      const { files: listed = [], compilerOptions } = JSON.parse(shown) as { files?: string[]; compilerOptions: { strict?: boolean; noUncheckedIndexedAccess?: boolean } };
      assert.deepEqual([compilerOptions.strict, compilerOptions.noUncheckedIndexedAccess], [true, true], config);
      const known = new Set(listed.map((file) => path.join(path.dirname(config), file)));
      assert.deepEqual(files.filter((file) => !known.has(file)), [], config);
    }
  });

  test("well-written code has no finding", () => {
    assert.deepEqual(lint({ "packages/agent/src/fine.ts": 'import { createHash } from "node:crypto";\nexport const empty: string = createHash("sha256").digest("hex");\n' }), []);
  });

  test("the agent may import neither the planner nor a default export of anything of ours", () => {
    assert.deepEqual(lint({ "packages/agent/src/room.ts": 'import { plan } from "@midflight/planner";\nexport default plan;\n' }), [
      "packages/agent/src/room.ts: eslint(no-restricted-imports)",
      "packages/agent/src/room.ts: import(no-default-export)",
    ]);
  });

  test("protocol may not import node:", () => {
    assert.deepEqual(lint({ "packages/protocol/src/room.ts": 'import fs from "node:fs";\nexport const read: unknown = fs.readFileSync;\n' }), [
      "packages/protocol/src/room.ts: eslint(no-restricted-imports)",
    ]);
  });

  test("a promise that nobody waits for is found", () => {
    assert.deepEqual(lint({ "packages/agent/src/floating.ts": 'import { readFile } from "node:fs/promises";\nreadFile("x");\n' }), [
      "packages/agent/src/floating.ts: typescript(no-floating-promises)",
    ]);
  });

  test("a switch that forgets a case is found", () => {
    const source = 'export function f(k: "a" | "b"): number {\n  switch (k) {\n    case "a":\n      return 1;\n  }\n  return 2;\n}\n';
    assert.equal(lint({ "packages/trust/src/forgets.ts": source }).length, 1);
  });

  test("a library neither prints nor reads the environment outside its door", () => {
    const source = 'console.log(process.env["A"]);\n';
    assert.deepEqual(lint({ "packages/agent/src/loud.ts": source, "packages/control/src/config.ts": 'export const home: string | undefined = process.env["HOME"];\n' }), [
      "packages/agent/src/loud.ts: eslint(no-console)",
      "packages/agent/src/loud.ts: node(no-process-env)",
    ]);
  });

  test("a cycle of imports, a long file and a name in capitals are found", () => {
    const long = Array.from({ length: 301 }, (_, i) => `export const v${i} = ${i};\n`).join("");
    const found = lint({
      "packages/trust/src/a.ts": 'import { b } from "./b.ts";\nexport const a: number = b;\n',
      "packages/trust/src/b.ts": 'import { a } from "./a.ts";\nexport const b: number = a;\n',
      "packages/trust/src/long.ts": long,
      "packages/trust/src/Loud.ts": "export const loud = 1;\n",
    });
    assert.equal(found.length, 4, found.join("\n"));
  });
});

import assert from "node:assert/strict";
import fs from "node:fs";
import os from "node:os";
import path from "node:path";
import { after, describe, test } from "node:test";
import { fileURLToPath } from "node:url";
import { findImports } from "../rooms/find-imports.mjs";
import { findRoomFaults } from "../rooms/find-room-faults.mjs";

const repository = fileURLToPath(new URL("../..", import.meta.url));
const workshop = fs.mkdtempSync(path.join(os.tmpdir(), "midflight-rooms-"));
after(() => fs.rmSync(workshop, { recursive: true, force: true }));

/** A copy of the repository's packages with one thing planted in it. */
function repositoryWith(plant: (copy: string) => void): string {
  const copy = fs.mkdtempSync(path.join(workshop, "copy-"));
  fs.copyFileSync(path.join(repository, "package.json"), path.join(copy, "package.json"));
  for (const name of fs.readdirSync(path.join(repository, "packages"))) {
    const from = path.join(repository, "packages", name);
    const to = path.join(copy, "packages", name);
    fs.mkdirSync(path.join(to, "src"), { recursive: true });
    for (const file of ["package.json", "tsconfig.json", "LICENSE"].filter((one) => fs.existsSync(path.join(from, one)))) fs.copyFileSync(path.join(from, file), path.join(to, file));
  }
  plant(copy);
  return copy;
}

function withSource(packageName: string, source: string): string[] {
  return findRoomFaults(repositoryWith((copy) => fs.writeFileSync(path.join(copy, "packages", packageName, "src/planted.ts"), source)));
}

describe("check-rooms", () => {
  test("the repository as it stands has no fault", () => {
    assert.deepEqual(findRoomFaults(repository), []);
    assert.deepEqual(findRoomFaults(repositoryWith(() => undefined)), []);
  });

  test("an import of a package that the room does not allow is found, in every form", () => {
    for (const source of [
      'import { plan } from "@midflight/planner";\n',
      'import type { Plan } from "@midflight/planner";\n',
      'export { plan } from "@midflight/planner";\n',
      'import "@midflight/planner";\n',
      'export const load = (): Promise<unknown> => import("@midflight/planner");\n',
      'import {\n  plan,\n  // why\n  other,\n} from "@midflight/planner/deep";\n',
    ]) {
      const faults = withSource("agent", source);
      assert.equal(faults.length, 1, source);
      assert.match(faults[0] ?? "", /packages\/agent\/src\/planted\.ts: @midflight\/planner.* is not allowed/);
    }
  });

  test("a third-party import in the agent is found", () => {
    assert.match(withSource("agent", 'import { parse } from "acorn";\n').join(), /acorn is not allowed/);
  });

  test("node: in protocol is found, and allowed elsewhere", () => {
    assert.match(withSource("protocol", 'import fs from "node:fs";\n').join(), /node:fs is not allowed/);
    assert.match(withSource("planner", 'import fs from "node:fs";\n').join(), /node:fs is not allowed/);
    assert.deepEqual(withSource("trust", 'import { sign } from "node:crypto";\n'), []);
  });

  test("control may find the agent for its processes, and may not load it", () => {
    assert.deepEqual(withSource("supervisor", 'export const register: string = import.meta.resolve("@midflight/agent/register");\n'), []);
    assert.match(withSource("supervisor", 'import "@midflight/agent/register";\n').join(), /@midflight\/agent\/register is not allowed/);
  });

  test("a path that leads into another package's folder is found", () => {
    assert.match(withSource("agent", 'import { x } from "../../planner/src/index.ts";\n').join(), /leads out of the package/);
  });

  test("an undeclared dependency of a development package is found", () => {
    assert.match(withSource("testkit", 'import express from "express";\n').join(), /express is not declared/);
  });

  test("a dependency that is declared but not in the table is found", () => {
    const faults = findRoomFaults(
      repositoryWith((copy) => {
        const file = path.join(copy, "packages/agent/package.json");
        const manifest = JSON.parse(fs.readFileSync(file, "utf8"));
        manifest.dependencies.acorn = "8.19.0";
        fs.writeFileSync(file, JSON.stringify(manifest));
      }),
    );
    assert.match(faults.join(), /agent: package\.json depends on acorn/);
  });

  test("a published package without its licence is found", () => {
    const copy = repositoryWith((root) => fs.rmSync(path.join(root, "packages/trust/LICENSE")));
    assert.deepEqual(findRoomFaults(copy), ["trust: there is no LICENSE beside its package.json"]);
  });

  test("a package without a room is found", () => {
    const faults = findRoomFaults(
      repositoryWith((copy) => {
        fs.mkdirSync(path.join(copy, "packages/shed"));
        fs.writeFileSync(path.join(copy, "packages/shed/package.json"), "{}");
      }),
    );
    assert.deepEqual(faults, ["packages/shed has no room in the table"]);
  });

  test("words in comments and strings are not imports", () => {
    assert.deepEqual(findImports('// import { x } from "left-pad";\n/* import "left-pad"; */\nconst a = 1;\n'), []);
  });
});

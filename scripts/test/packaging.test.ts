import assert from "node:assert/strict";
import { execFileSync, spawnSync } from "node:child_process";
import fs from "node:fs";
import os from "node:os";
import path from "node:path";
import { after, before, describe, test } from "node:test";
import { fileURLToPath } from "node:url";
import { nodeBinary, nodeMajors } from "../node-versions.mjs";
import { inUserProcess } from "../rooms/rooms.mjs";

const repository = fileURLToPath(new URL("../..", import.meta.url));
const workshop = fs.mkdtempSync(path.join(os.tmpdir(), "midflight-pack-"));
after(() => fs.rmSync(workshop, { recursive: true, force: true }));

interface Packed {
  readonly name: string;
  readonly filename: string;
  readonly files: readonly { readonly path: string }[];
}

function npm(args: readonly string[], cwd: string): string {
  return execFileSync("npm", [...args, "--loglevel=error"], { cwd, encoding: "utf8", env: { ...process.env, npm_config_cache: path.join(workshop, "cache") } });
}

/** What a user's project has after it installed the agent, and nothing else, without a network. */
describe("packages that run in a user's process", () => {
  const project = path.join(workshop, "project");
  let packed: readonly Packed[] = [];

  before(() => {
    const workspaces = inUserProcess.map((name) => `--workspace=packages/${name}`);
    const output: Packed[] | Record<string, Packed> = JSON.parse(npm(["pack", "--json", "--pack-destination", workshop, ...workspaces], repository));
    packed = Object.values(output);
    fs.mkdirSync(project);
    fs.writeFileSync(path.join(project, "package.json"), JSON.stringify({ name: "user", version: "1.0.0", private: true }));
    npm(["install", "--offline", ...packed.map((one) => path.join(workshop, one.filename))], project);
  });

  test("hold their build and their sources, and nothing of ours that is not for users", () => {
    assert.deepEqual(packed.map((one) => one.name).sort(), inUserProcess.map((name) => `@midflight/${name}`).sort());
    for (const { name, files } of packed) {
      const paths = files.map((file) => file.path);
      for (const wanted of ["package.json", "LICENSE", "dist/index.js", "dist/index.d.ts", "src/index.ts"]) assert.ok(paths.includes(wanted), `${name} lacks ${wanted}`);
      const strays = paths.filter((file) => file !== "package.json" && !/^(README\.md|LICENSE|(dist|src)\/.*\.(js|ts|map))$/.test(file));
      assert.deepEqual(strays, [], name);
    }
  });

  test("bring no third-party package with them", () => {
    assert.deepEqual(fs.readdirSync(path.join(project, "node_modules")).filter((name) => !name.startsWith(".")), ["@midflight"]);
    assert.deepEqual(fs.readdirSync(path.join(project, "node_modules/@midflight")).sort(), [...inUserProcess].sort());
    assert.deepEqual(
      inUserProcess.flatMap((name) => (fs.existsSync(path.join(project, "node_modules/@midflight", name, "node_modules")) ? [name] : [])),
      [],
    );
  });

  for (const major of nodeMajors) {
    test(`load on Node ${major}, every entry by import, every library also by require`, () => {
      const entries = inUserProcess.flatMap((name) => {
        const manifest: { exports: Record<string, unknown> } = JSON.parse(fs.readFileSync(path.join(project, "node_modules/@midflight", name, "package.json"), "utf8"));
        return Object.keys(manifest.exports)
          .filter((key) => key !== "./package.json")
          .map((key) => path.posix.join("@midflight", name, key));
      });
      assert.ok(entries.includes("@midflight/agent/register"));
      for (const entry of entries) {
        const specifier = JSON.stringify(entry);
        const forms = [`await import(${specifier}); console.log("loaded")`];
        // The register waits for the agent to come up, so it is for --import alone.
        if (!entry.endsWith("/register")) forms.push(`process.getBuiltinModule("node:module").createRequire(process.cwd() + "/")(${specifier}); console.log("loaded")`);
        for (const form of forms) {
          const { stdout, stderr } = spawnSync(nodeBinary(major), ["--no-warnings", "--input-type=module", "--eval", form], { cwd: project, encoding: "utf8" });
          assert.deepEqual({ entry, stdout, stderr }, { entry, stdout: "loaded\n", stderr: "" });
        }
      }
    });

    test(`leave an application alone that is started with the agent and no configuration, on Node ${major}`, () => {
      const { stdout, stderr, status } = spawnSync(nodeBinary(major), ["--import", "@midflight/agent/register", "--eval", "console.log(1 + 1)"], {
        cwd: project,
        encoding: "utf8",
        env: { PATH: process.env["PATH"] },
      });
      assert.deepEqual({ stdout, stderr, status }, { stdout: "2\n", stderr: "", status: 0 });
    });
  }
});

import assert from "node:assert/strict";
import { existsSync, lstatSync, mkdirSync, mkdtempSync, readFileSync, realpathSync, rmSync, statSync, symlinkSync, writeFileSync } from "node:fs";
import os from "node:os";
import path from "node:path";
import { afterEach, beforeEach, describe, test } from "node:test";
import { keepPackages, linkDependencies, projectPackages, type Kept } from "@midflight/publisher";

describe("keeping what is installed", () => {
  let root: string;
  let project: string;
  let kept: string;
  beforeEach(() => {
    root = mkdtempSync(path.join(os.tmpdir(), "midflight-packages-"));
    [project, kept] = [path.join(root, "project"), path.join(root, "kept")];
    write("node_modules/a/index.js", "a 1");
    write("node_modules/.cache/tool/x", "cached");
    write("packages/lib/index.js", "own");
    write("packages/lib/node_modules/b/index.js", "b 1");
    symlinkSync("../../node_modules/a", path.join(project, "packages/lib/a-by-link"));
    symlinkSync("../a/index.js", path.join(project, "node_modules/.bin-a"));
    symlinkSync("../packages/lib", path.join(project, "node_modules/lib"));
    symlinkSync("../../../node_modules/a", path.join(project, "packages/lib/node_modules/a"));
  });
  afterEach(() => rmSync(root, { recursive: true, force: true }));

  function write(file: string, text: string): void {
    mkdirSync(path.dirname(path.join(project, file)), { recursive: true });
    writeFileSync(path.join(project, file), text);
  }

  function keep(isStill = (): boolean => true, signal = new AbortController().signal): Promise<Kept> {
    return keepPackages({ folders: ["", "packages", "packages/lib"], sourceOf: projectPackages(project), directory: kept, isStill, signal });
  }

  const at = (file: string): string => path.join(kept, file);

  test("all of it is there when the project has something else; links to packages lead to the kept ones, links into the app to the app", async () => {
    assert.equal(await keep(), "kept");
    rmSync(path.join(project, "node_modules/a"), { recursive: true });
    write("node_modules/a/index.js", "a 2");
    assert.equal(readFileSync(at("node_modules/a/index.js"), "utf8"), "a 1");
    assert.equal(readFileSync(at("packages/lib/node_modules/b/index.js"), "utf8"), "b 1");
    assert.equal(readFileSync(at("packages/lib/node_modules/a/index.js"), "utf8"), "a 1", "by a link from one node_modules to another");
    assert.equal(realpathSync(at("node_modules/lib")), realpathSync(path.join(project, "packages/lib")));
    assert.equal(realpathSync(at("node_modules/.cache")), realpathSync(path.join(project, "node_modules/.cache")), "what tools write there is shared");
  });

  test("files of npm, which never writes into what it has installed, are linked; those of others are copied", async () => {
    assert.equal(await keep(), "kept");
    assert.notEqual(statSync(at("node_modules/a/index.js")).ino, statSync(path.join(project, "node_modules/a/index.js")).ino);
    rmSync(kept, { recursive: true });
    write("node_modules/.package-lock.json", "{}");
    assert.equal(await keep(), "kept");
    assert.equal(statSync(at("node_modules/a/index.js")).ino, statSync(path.join(project, "node_modules/a/index.js")).ino);
  });

  test("nothing is kept of an installation that changed meanwhile, or when there is no time", async () => {
    assert.equal(await keep(() => false), "changed");
    const over = new AbortController();
    over.abort();
    assert.equal(await keep(() => true, over.signal), "changed");
    assert.equal(existsSync(kept), false);
  });

  test("a node_modules that is a link to another place is not kept", async () => {
    rmSync(path.join(project, "node_modules"), { recursive: true });
    symlinkSync(os.tmpdir(), path.join(project, "node_modules"));
    assert.equal(await keep(), "linked");
  });

  test("a release that has packages of its own among the others gets the kept ones in place of those that were linked before", async () => {
    assert.equal(await keep(), "kept");
    const release = path.join(root, "release");
    mkdirSync(path.join(release, "packages/lib"), { recursive: true });
    writeFileSync(path.join(release, "packages/lib/index.js"), "released");
    const links = new Map([["node_modules/lib", "packages/lib"]]);
    const link = (sourceOf: (folder: string) => string | null): Promise<void> => linkDependencies({ directory: release, folders: ["packages", "packages/lib"], sourceOf, links });
    await link(projectPackages(project));
    rmSync(path.join(project, "node_modules/a"), { recursive: true });
    write("node_modules/a/index.js", "a 2");
    write("node_modules/c/index.js", "c");
    await link(projectPackages(project));
    assert.equal(readFileSync(path.join(release, "node_modules/a/index.js"), "utf8"), "a 2");
    await link((folder) => (existsSync(at(path.join(folder, "node_modules"))) ? at(path.join(folder, "node_modules")) : null));
    assert.equal(readFileSync(path.join(release, "node_modules/a/index.js"), "utf8"), "a 1");
    assert.equal(readFileSync(path.join(release, "node_modules/lib/index.js"), "utf8"), "released");
    assert.equal(readFileSync(path.join(release, "packages/lib/node_modules/b/index.js"), "utf8"), "b 1");
    assert.equal(existsSync(path.join(release, "node_modules/c")), false);
    assert.equal(lstatSync(path.join(release, "packages/lib/node_modules")).isSymbolicLink(), true);
  });
});

import assert from "node:assert/strict";
import { existsSync, lstatSync, lutimesSync, mkdirSync, mkdtempSync, readFileSync, realpathSync, renameSync, rmSync, statSync, symlinkSync, utimesSync, writeFileSync } from "node:fs";
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

  test("nothing is kept while npm replaces packages, of which its record says nothing yet; what a killed npm has left is no matter later", async () => {
    write("node_modules/.package-lock.json", "{}");
    utimesSync(path.join(project, "node_modules/.package-lock.json"), 1000, 1000);
    write("node_modules/@scope/b/index.js", "b 1");
    renameSync(path.join(project, "node_modules/@scope/b"), path.join(project, "node_modules/@scope/.b-Ab3dE6gH"));
    assert.equal(await keep(), "changed");
    assert.equal(existsSync(kept), false);
    const later = Date.now() / 1000 + 60;
    utimesSync(path.join(project, "node_modules/.package-lock.json"), later, later);
    assert.equal(await keep(), "kept");
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

  test("what a keeper that was killed has left is removed by the next one", async () => {
    mkdirSync(`${kept}.4711.building/node_modules`, { recursive: true });
    assert.equal(await keep(), "kept");
    assert.equal(existsSync(`${kept}.4711.building`), false);
  });

  test("what is kept already counts as used again", async () => {
    assert.equal(await keep(), "kept");
    utimesSync(kept, 1000, 1000);
    assert.equal(await keep(), "kept");
    assert.ok(Date.now() - statSync(kept).mtimeMs < 60_000);
  });

  describe("under a release", () => {
    const links = new Map([["node_modules/lib", "packages/lib"]]);
    let release: string;
    beforeEach(() => {
      release = path.join(root, "release");
      mkdirSync(path.join(release, "packages/lib"), { recursive: true });
    });

    const fromKept = (folder: string): string | null => (existsSync(at(path.join(folder, "node_modules"))) ? at(path.join(folder, "node_modules")) : null);
    const link = (sourceOf: (folder: string) => string | null): Promise<void> => linkDependencies({ directory: release, folders: ["packages", "packages/lib"], sourceOf, links });

    test("processes that start at once get the same packages", async () => {
      assert.equal(await keep(), "kept");
      for (const sourceOf of [projectPackages(project), fromKept, projectPackages(project), fromKept]) {
        await Promise.all(Array.from({ length: 8 }, () => link(sourceOf)));
        assert.equal(realpathSync(path.join(release, "node_modules/a")), realpathSync(path.join(sourceOf("")!, "a")));
        assert.equal(realpathSync(path.join(release, "packages/lib/node_modules")), realpathSync(sourceOf("packages/lib")!));
      }
    });

    test("a process that runs finds its packages while another one starts: what is right already is not touched", async () => {
      await link(projectPackages(project));
      const places = ["node_modules/a", "node_modules/lib", "packages/lib/node_modules"].map((place) => path.join(release, place));
      for (const place of places) lutimesSync(place, 1000, 1000);
      await link(projectPackages(project));
      assert.deepEqual(places.map((place) => lstatSync(place).mtimeMs), [1_000_000, 1_000_000, 1_000_000]);
    });

    test("a folder that had no packages of its own then has none again", async () => {
      rmSync(path.join(project, "packages/lib/node_modules"), { recursive: true });
      assert.equal(await keep(), "kept");
      write("packages/lib/node_modules/b/index.js", "b 2");
      await link(projectPackages(project));
      assert.equal(existsSync(path.join(release, "packages/lib/node_modules/b")), true);
      await link(fromKept);
      assert.equal(existsSync(path.join(release, "packages/lib/node_modules/b")), false);
    });
  });
});

import assert from "node:assert/strict";
import { mkdirSync, readFileSync, realpathSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import path from "node:path";
import { afterEach, beforeEach, describe, test } from "node:test";
import { findBoot, findReleaseDirectory, manifestName, type Boot } from "../src/boot.ts";
import { writeReleaseDirectory } from "./support/release-directory.ts";
import { World, type Published } from "./support/world.ts";

describe("a boot release", () => {
  let world: World;
  let directory: string;
  let release: Published;
  const find = (): Boot => findBoot({ entry: path.join(directory, "src/app.js"), workingDirectory: "/" }, world.root);
  const assertUnregistered = (reason: RegExp): void => {
    const boot = find();
    assert.equal(boot.kind, "unregistered");
    assert.match(boot.kind === "unregistered" ? boot.reason : "", reason);
  };

  beforeEach(() => {
    world = new World();
    directory = path.join(realpathSync(world.directory), "release");
    ({ published: release } = writeReleaseDirectory(world, directory, {
      "package.json": { text: '{"type":"module"}', kind: "asset" },
      "src/app.js": { text: "guarded()", source: "plain()" },
      "src/types.d.ts": { text: "export {}", kind: "inert" },
    }));
  });
  afterEach(() => world.close());

  test("is found upward from the app's entry, and proved", () => {
    const boot = find();
    assert(boot.kind === "known");
    assert.equal(boot.directory, directory);
    assert.equal(boot.id, release.id);
    assert.equal(boot.release.tree, release.release.tree);
  });

  test("is found through a symbolic link to the entry, and from the working directory when there is no entry", () => {
    symlinkSync(path.join(directory, "src/app.js"), path.join(world.directory, "link.js"));
    assert.equal(findReleaseDirectory({ entry: path.join(world.directory, "link.js"), workingDirectory: "/" }), directory);
    assert.equal(findReleaseDirectory({ entry: undefined, workingDirectory: path.join(directory, "src") }), directory);
    assert.equal(findReleaseDirectory({ entry: "/nowhere/app.js", workingDirectory: "/" }), null);
  });

  test("is unknown where there is no manifest", () => {
    rmSync(path.join(directory, manifestName));
    assertUnregistered(/no release directory/);
  });

  for (const file of ["src/app.js", "package.json"]) {
    test(`is unknown when ${file} was changed on disk`, () => {
      writeFileSync(path.join(directory, file), "changed");
      assertUnregistered(new RegExp(`${file} is not the file that was released`));
    });
  }

  test("does not mind a changed file that never runs", () => {
    writeFileSync(path.join(directory, "src/types.d.ts"), "changed");
    assert.equal(find().kind, "known");
  });

  test("is unknown when a file is gone", () => {
    rmSync(path.join(directory, "src/app.js"));
    assertUnregistered(/cannot be read/);
  });

  test("is unknown when the manifest lists other files than were signed", () => {
    const file = path.join(directory, manifestName);
    const manifest = JSON.parse(readFileSync(file, "utf8")) as { files: Record<string, unknown> };
    delete manifest.files["src/app.js"];
    writeFileSync(file, JSON.stringify(manifest));
    assertUnregistered(/not the files of the release/);
  });

  test("is unknown when the manifest names a path outside the release", () => {
    const file = path.join(directory, manifestName);
    const manifest = JSON.parse(readFileSync(file, "utf8")) as { files: Record<string, unknown> };
    manifest.files["../../etc/passwd"] = manifest.files["src/app.js"];
    writeFileSync(file, JSON.stringify(manifest));
    assertUnregistered(/outside the release/);
  });

  test("is unknown when somebody else signed it", () => {
    const other = new World();
    try {
      assert.equal(findBoot({ entry: path.join(directory, "src/app.js"), workingDirectory: "/" }, other.root).kind, "unregistered");
    } finally {
      other.close();
    }
  });

  test("is unknown when the manifest is no manifest", () => {
    for (const text of ["", "null", "[]", "{}", '{"files":{}}', "\0"]) {
      writeFileSync(path.join(directory, manifestName), text);
      assertUnregistered(/./);
    }
  });

  test("is looked for no further than the root of the file system", () => {
    mkdirSync(path.join(world.directory, "a/b"), { recursive: true });
    assert.equal(findReleaseDirectory({ entry: path.join(world.directory, "a/b/app.js"), workingDirectory: world.directory }), null);
  });
});

import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { appendFileSync, mkdirSync, renameSync, symlinkSync, writeFileSync } from "node:fs";
import path from "node:path";
import { test } from "node:test";
import { isMidflightError } from "@midflight/protocol";
import { type Batch, readFolder, watchDirectory } from "../../src/index.ts";
import { createProject, takeBatches, textOf } from "../project.ts";

const marker = "dist/.midflight-done";

test("the first batch is the whole tree as it is, without what the app never runs", async (t) => {
  const project = createProject(t, {
    "package.json": "{}",
    "package-lock.json": "{}",
    "dist/a.js": "1",
    "dist/lib/b.js": "2",
    "dist/node_modules/x/index.js": "3",
    "dist/.git/HEAD": "4",
    "dist/.midflight/x": "5",
    "dist/a.js~": "6",
    [marker]: "",
    "public/img/logo.svg": "7",
    "public/notes.txt": "8",
    "src/a.ts": "9",
  });
  const batch = await takeBatches(t, watchDirectory({ projectDir: project.dir, code: ["dist"], assets: ["public/**/*.svg"], marker })).next();
  assert.equal(batch.reason, "start");
  assert.deepEqual([...batch.files.keys()].sort(), ["dist/a.js", "dist/lib/b.js", "package.json", "public/img/logo.svg"]);
  assert.equal(batch.lock?.path, "package-lock.json");
});

test("a look at the folder sees the tree that a watch sees: the marker is no part of either", async (t) => {
  const project = createProject(t, { "package.json": "{}", "dist/a.js": "1", [marker]: "" });
  const options = { projectDir: project.dir, code: ["dist"], marker };
  const watched = await takeBatches(t, watchDirectory(options)).next();
  assert.deepEqual([...(await readFolder(options)).files.keys()].sort(), [...watched.files.keys()].sort());
});

test("the build's marker ends a batch at once, with every file that was written before it", async (t) => {
  const project = createProject(t, { "dist/a.js": "1" });
  const batches = takeBatches(t, watchDirectory({ projectDir: project.dir, code: ["dist"], marker, quietMs: 60_000, development: true }));
  await batches.next();
  project.write({ "dist/a.js": "2", "dist/deep/er/b.js": "3", [marker]: "" });
  const batch = await batches.next();
  assert.equal(batch.reason, "marker");
  assert.equal(textOf(batch, "dist/a.js"), "2");
  assert.equal(textOf(batch, "dist/deep/er/b.js"), "3");
  writeFileSync(path.join(project.dir, "done.tmp"), "");
  project.write({ "dist/a.js": "4" });
  renameSync(path.join(project.dir, "done.tmp"), path.join(project.dir, marker));
  assert.equal(textOf(await batches.next(), "dist/a.js"), "4");
});

test("builds that end within the same tick of the file system's clock are told apart", async (t) => {
  const project = createProject(t, { "dist/a.js": "0" });
  const batches = takeBatches(t, watchDirectory({ projectDir: project.dir, code: ["dist"], marker }));
  await batches.next();
  for (let round = 1; round <= 200; round++) {
    project.write({ "dist/a.js": `${round}`, [marker]: "" });
    assert.equal(textOf(await batches.next(), "dist/a.js"), `${round}`);
  }
});

test("outside development a quiet window ends nothing", async (t) => {
  const project = createProject(t, { "dist/a.js": "1" });
  const batches = takeBatches(t, watchDirectory({ projectDir: project.dir, code: ["dist"], marker, quietMs: 1 }));
  await batches.next();
  project.write({ "dist/a.js": "2" });
  const next = batches.next();
  // The window would have ended long before 60 further events had passed.
  for (let i = 0; i < 60; i++) {
    project.write({ "dist/b.js": `${i}` });
    await new Promise((resolve) => setTimeout(resolve, 2));
  }
  project.write({ "dist/b.js": "last", [marker]: "" });
  const batch = await next;
  assert.equal(batch.reason, "marker");
  assert.equal(textOf(batch, "dist/b.js"), "last");
});

test("in development a quiet window ends a batch, until a marker was seen", async (t) => {
  const project = createProject(t, { "dist/a.js": "1" });
  const batches = takeBatches(t, watchDirectory({ projectDir: project.dir, code: ["dist"], marker, quietMs: 20, development: true }));
  await batches.next();
  project.write({ "dist/a.js": "2" });
  assert.equal((await batches.next()).reason, "quiet");
  project.write({ "dist/a.js": "3", [marker]: "1" });
  assert.equal((await batches.next()).reason, "marker");
  project.write({ "dist/a.js": "4" });
  await new Promise((resolve) => setTimeout(resolve, 100));
  project.write({ [marker]: "2" });
  const batch = await batches.next();
  assert.equal(batch.reason, "marker");
  assert.equal(textOf(batch, "dist/a.js"), "4");
});

test("a file saved by atomic rename is seen", async (t) => {
  const project = createProject(t, { "src/a.js": "1" });
  const batches = takeBatches(t, watchDirectory({ projectDir: project.dir, code: ["src"], quietMs: 20, development: true }));
  await batches.next();
  for (let round = 0; round < 5; round++) {
    project.write({ "src/a.js.tmp": `round ${round}` });
    renameSync(path.join(project.dir, "src/a.js.tmp"), path.join(project.dir, "src/a.js"));
    const batch = await batches.next();
    assert.equal(textOf(batch, "src/a.js"), `round ${round}`);
    assert.equal(batch.files.size, 1);
  }
});

test("of 500 files in new nested folders none is lost, round after round, from another process", async (t) => {
  const project = createProject(t, { "dist/a.js": "1" });
  const batches = takeBatches(t, watchDirectory({ projectDir: project.dir, code: ["dist"], marker, development: true }));
  await batches.next();
  const writer = `
    const fs = require("node:fs"), [dir, round] = process.argv.slice(1);
    for (let i = 0; i < 500; i++) { const d = dir + "/r" + round + "/p" + i % 10 + "/q" + i % 7; fs.mkdirSync(d, { recursive: true }); fs.writeFileSync(d + "/m" + i + ".js", "export const n = " + i); }
    fs.writeFileSync(dir + "/.midflight-done", round);`;
  for (let round = 1; round <= 6; round++) {
    spawn(process.execPath, ["-e", writer, path.join(project.dir, "dist"), String(round)], { stdio: "inherit" });
    const batch = await batches.next();
    assert.equal(batch.reason, "marker");
    assert.equal(batch.files.size, 1 + 500 * round);
  }
});

test("a folder that the build deletes and makes again is watched again", async (t) => {
  const project = createProject(t, { "dist/a.js": "1", "dist/lib/b.js": "1" });
  const batches = takeBatches(t, watchDirectory({ projectDir: project.dir, code: ["dist"], quietMs: 20, development: true }));
  await batches.next();
  for (let round = 2; round < 6; round++) {
    project.remove("dist");
    project.write({ "dist/lib/b.js": `${round}` });
    const batch = await batches.until((b) => b.files.size > 0 && textOf(b, "dist/lib/b.js") === `${round}`);
    assert.deepEqual([...batch.files.keys()], ["dist/lib/b.js"]);
    project.write({ "dist/lib/b.js": `${round} again` });
    await batches.until((b) => textOf(b, "dist/lib/b.js") === `${round} again`);
  }
});

test("deleted and moved folders leave nothing behind", async (t) => {
  const project = createProject(t, { "dist/keep.js": "1", "dist/a/b/c.js": "1", "dist/a/d.js": "1" });
  const batches = takeBatches(t, watchDirectory({ projectDir: project.dir, code: ["dist"], quietMs: 20, development: true }));
  await batches.next();
  renameSync(path.join(project.dir, "dist/a"), path.join(project.dir, "dist/z"));
  assert.deepEqual([...(await batches.next()).files.keys()].sort(), ["dist/keep.js", "dist/z/b/c.js", "dist/z/d.js"]);
  project.write({ "dist/z/b/c.js": "2" });
  assert.equal(textOf(await batches.next(), "dist/z/b/c.js"), "2");
  project.remove("dist/z");
  assert.deepEqual([...(await batches.next()).files.keys()], ["dist/keep.js"]);
});

test("a file that never stops growing is a problem that is told, and its last state is not lost", async (t) => {
  const project = createProject(t, { "dist/a.js": "1" });
  let tell: (error: unknown) => void = () => undefined;
  const problem = new Promise((resolve) => (tell = resolve));
  const batches = takeBatches(
    t,
    watchDirectory({ projectDir: project.dir, code: ["dist"], quietMs: 30, maxWaitMs: 120, unsettledMs: 150, development: true, onProblem: tell }),
  );
  await batches.next();
  const grow = setInterval(() => appendFileSync(path.join(project.dir, "dist/log.js"), "//\n"), 5);
  t.after(() => clearInterval(grow));
  const error = await problem;
  clearInterval(grow);
  assert.ok(isMidflightError(error));
  assert.equal(error.code, "BUILD_UNSETTLED");
  assert.match(error.facts.what, /dist\/log\.js/);
  const batch = await batches.next();
  assert.match(textOf(batch, "dist/log.js") ?? "", /^(?:\/\/\n)+$/);
});

test("a file that is written in pieces is taken whole", async (t) => {
  const project = createProject(t, { "dist/a.js": "1" });
  const batches = takeBatches(t, watchDirectory({ projectDir: project.dir, code: ["dist"], quietMs: 60, development: true }));
  await batches.next();
  for (let piece = 0; piece < 10; piece++) {
    appendFileSync(path.join(project.dir, "dist/b.js"), `piece ${piece}\n`);
    await new Promise((resolve) => setTimeout(resolve, 10));
  }
  assert.equal(textOf(await batches.next(), "dist/b.js")?.split("\n").length, 11);
});

test("links are read within the project and never followed out of it", async (t) => {
  const outside = createProject(t, { "secret.js": "secret", "more/x.js": "x" });
  const project = createProject(t, { "dist/a.js": "1", "shared/b.js": "2" });
  symlinkSync(path.join(project.dir, "shared/b.js"), path.join(project.dir, "dist/b.js"));
  symlinkSync(path.join(outside.dir, "secret.js"), path.join(project.dir, "dist/secret.js"));
  symlinkSync(path.join(outside.dir, "more"), path.join(project.dir, "dist/more"));
  symlinkSync(path.join(project.dir, "dist"), path.join(project.dir, "dist/loop"));
  const source = watchDirectory({ projectDir: project.dir, code: ["dist"], quietMs: 20, development: true });
  const batches = takeBatches(t, source);
  assert.deepEqual([...(await batches.next()).files.keys()].sort(), ["dist/a.js", "dist/b.js"]);
  project.write({ "shared/b.js": "3" });
  assert.equal(textOf(await source.now(), "dist/b.js"), "3");
});

test("now() settles without waiting for marker or window, and finds what no event told", async (t) => {
  const project = createProject(t, { "dist/a.js": "1" });
  const source = watchDirectory({ projectDir: project.dir, code: ["dist"], marker });
  const batches = takeBatches(t, source);
  await batches.next();
  project.write({ "dist/a.js": "22", "dist/new/b.js": "3" });
  const batch = await source.now();
  assert.equal(batch.reason, "manual");
  assert.equal(textOf(batch, "dist/a.js"), "22");
  assert.equal(textOf(batch, "dist/new/b.js"), "3");
});

test("a change of the lock file alone makes a batch", async (t) => {
  const project = createProject(t, { "dist/a.js": "1", "package-lock.json": "1" });
  const batches = takeBatches(t, watchDirectory({ projectDir: project.dir, code: ["dist"], quietMs: 20, development: true }));
  const first = await batches.next();
  project.write({ "package-lock.json": "2" });
  const second = await batches.next();
  assert.notEqual(second.lock?.digest, first.lock?.digest);
  assert.equal(second.files.get("dist/a.js"), first.files.get("dist/a.js"));
});

test("an installation that leaves the lock file as it is makes a batch, also when it makes node_modules anew", async (t) => {
  const record = (version: string): Record<string, string> => ({ "node_modules/.package-lock.json": JSON.stringify({ lockfileVersion: 3, packages: { "node_modules/ms": { version } } }) });
  const project = createProject(t, { "dist/a.js": "1", ...record("2.0.0") });
  const batches = takeBatches(t, watchDirectory({ projectDir: project.dir, code: ["dist"], quietMs: 20, development: true }));
  const versionOf = (batch: Batch): string | undefined => batch.dependencies?.dependencies.installed?.get("node_modules/ms")?.version;
  assert.equal(versionOf(await batches.next()), "2.0.0");
  project.write(record("2.1.0"));
  assert.equal(versionOf(await batches.next()), "2.1.0");
  project.remove("node_modules");
  assert.equal(versionOf(await batches.next()), undefined);
  project.write(record("2.1.3"));
  let last = await batches.next();
  // Folder and file may come one after the other.
  while (versionOf(last) === undefined) last = await batches.next();
  assert.equal(versionOf(last), "2.1.3");
});

test("a code folder that is not there is named", (t) => {
  const project = createProject(t, { "src/a.js": "1" });
  assert.throws(
    () => watchDirectory({ projectDir: project.dir, code: ["dist"] }),
    (error: unknown) => isMidflightError(error) && error.code === "CODE_DIRECTORY_MISSING" && error.facts.what.includes("dist"),
  );
});

test("a change in a tree of 20,000 files reads one file and needs no polling", async (t) => {
  const project = createProject(t);
  for (let i = 0; i < 20_000; i++) {
    if (i % 20 === 0) mkdirSync(path.join(project.dir, `dist/p${(i / 20) % 10}/d${i / 20}`), { recursive: true });
    writeFileSync(path.join(project.dir, `dist/p${Math.floor(i / 20) % 10}/d${Math.floor(i / 20)}/m${i}.js`), `export const n = ${i};\n`);
  }
  const startedAt = performance.now();
  const batches = takeBatches(t, watchDirectory({ projectDir: project.dir, code: ["dist"], marker }));
  const first = await batches.next();
  t.diagnostic(`first batch of 20,000 files after ${(performance.now() - startedAt).toFixed(0)} ms`);
  assert.equal(first.files.size, 20_000);
  const cpu = process.cpuUsage();
  await new Promise((resolve) => setTimeout(resolve, 300));
  assert.ok(process.cpuUsage(cpu).user < 100_000, "an idle watch costs next to nothing");
  project.write({ "dist/p0/d0/m0.js": "changed", [marker]: "" });
  const writtenAt = performance.now();
  const second = await batches.next();
  t.diagnostic(`batch ${(performance.now() - writtenAt).toFixed(1)} ms after the marker`);
  const changed = [...second.files].filter(([name, file]) => first.files.get(name) !== file).map(([name]) => name);
  assert.deepEqual(changed, ["dist/p0/d0/m0.js"]);
});

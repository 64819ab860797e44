import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { statSync, utimesSync, writeFileSync } from "node:fs";
import path from "node:path";
import { test, type TestContext } from "node:test";
import { openProvenance, type ProvenanceReader } from "../../src/provenance.ts";
import { createProject, type Project } from "../project.ts";

function createRepository(t: TestContext, files: Readonly<Record<string, string>>): { project: Project; git: (...args: string[]) => string } {
  const project = createProject(t, files);
  const git = (...args: string[]): string =>
    execFileSync("git", ["-c", "user.name=Ada", "-c", "user.email=ada@example.org", "-c", "commit.gpgsign=false", ...args], { cwd: project.dir, encoding: "utf8", stdio: ["ignore", "pipe", "ignore"] });
  git("init", "-q", "-b", "main");
  git("add", "-A");
  git("commit", "-q", "-m", "Sell tea");
  return { project, git };
}

const open = (project: Project, environment = {}): ProvenanceReader => openProvenance({ projectDir: project.dir, code: ["src", "dist"], environment });

test("commit, branch, author and subject come from git; a remote is named without its password", async (t) => {
  const { project, git } = createRepository(t, { "src/a.js": "1" });
  git("remote", "add", "origin", "https://ada:secret@git.example.org/shop.git");
  const { vcs, ci } = await open(project).read();
  assert.equal(ci, null);
  assert.equal(vcs?.commit, git("rev-parse", "HEAD").trim());
  assert.deepEqual(
    { ...vcs, commit: "", committedAt: "" },
    { system: "git", commit: "", branch: "main", author: "Ada <ada@example.org>", subject: "Sell tea", committedAt: "", remote: "https://git.example.org/shop.git", dirty: false },
  );
  assert.ok(!Number.isNaN(Date.parse(vcs?.committedAt ?? "")));
});

test("dirty follows the work tree through edits, reverts, adds, commits and new files", async (t) => {
  const { project, git } = createRepository(t, { "src/a.js": "one", "README.md": "x", ".gitignore": "dist\n" });
  const reader = open(project);
  const isDirty = async (): Promise<boolean | undefined> => (await reader.read()).vcs?.dirty;
  assert.equal(await isDirty(), false);
  project.write({ "src/a.js": "two" });
  assert.equal(await isDirty(), true, "edited");
  project.write({ "src/a.js": "three" });
  assert.equal(await isDirty(), true, "edited again");
  project.write({ "src/a.js": "one" });
  assert.equal(await isDirty(), false, "edited back");
  project.write({ "dist/a.js": "1" });
  assert.equal(await isDirty(), false, "ignored output");
  project.write({ "notes.txt": "1" });
  assert.equal(await isDirty(), false, "unknown outside the code");
  project.write({ "src/b.js": "1" });
  assert.equal(await isDirty(), true, "unknown within the code");
  git("add", "src/b.js");
  assert.equal(await isDirty(), true, "added");
  git("commit", "-q", "-m", "Sell coffee");
  assert.equal(await isDirty(), false, "committed");
  assert.equal((await reader.read()).vcs?.subject, "Sell coffee");
  project.remove("README.md");
  assert.equal(await isDirty(), true, "deleted");
  git("checkout", "-q", "README.md");
  assert.equal(await isDirty(), false, "checked out");
  git("checkout", "-q", "-b", "next");
  assert.equal((await reader.read()).vcs?.branch, "next");
});

test("an edit taken back within the same size and modification time is clean again", async (t) => {
  const { project } = createRepository(t, { "src/a.js": "one" });
  const reader = open(project);
  project.write({ "src/a.js": "two" });
  assert.equal((await reader.read()).vcs?.dirty, true);
  const file = path.join(project.dir, "src/a.js");
  const { atime, mtime } = statSync(file);
  writeFileSync(file, "one");
  utimesSync(file, atime, mtime);
  assert.equal((await reader.read()).vcs?.dirty, false);
});

test("outside a repository, and before the first commit, there is no version", async (t) => {
  const project = createProject(t, { "src/a.js": "1" });
  const reader = open(project);
  assert.equal((await reader.read()).vcs, null);
  execFileSync("git", ["init", "-q"], { cwd: project.dir });
  assert.equal((await reader.read()).vcs, null);
});

test("a project that is a folder of a repository is described by it", async (t) => {
  const { project } = createRepository(t, { "apps/shop/src/a.js": "1", "README.md": "1" });
  const reader = openProvenance({ projectDir: path.join(project.dir, "apps/shop"), code: ["src"], environment: {} });
  assert.equal((await reader.read()).vcs?.dirty, false);
  project.write({ "apps/shop/src/new.js": "1" });
  assert.equal((await reader.read()).vcs?.dirty, true);
});

test("CI systems are known by their variables", async (t) => {
  const project = createProject(t, {});
  const cases: [Record<string, string>, { provider: string; build: string | null; url: string | null }][] = [
    [
      { GITHUB_ACTIONS: "true", GITHUB_RUN_NUMBER: "12", GITHUB_SERVER_URL: "https://github.example", GITHUB_REPOSITORY: "a/b", GITHUB_RUN_ID: "99", CI: "true" },
      { provider: "github", build: "12", url: "https://github.example/a/b/actions/runs/99" },
    ],
    [{ GITLAB_CI: "true", CI_PIPELINE_IID: "3", CI_JOB_URL: "https://u:p@gitlab.example/j/1" }, { provider: "gitlab", build: "3", url: "https://gitlab.example/j/1" }],
    [{ JENKINS_URL: "https://j.example/", BUILD_NUMBER: "4", BUILD_URL: "https://j.example/4/" }, { provider: "jenkins", build: "4", url: "https://j.example/4/" }],
    [{ BUILDKITE: "true", BUILDKITE_BUILD_NUMBER: "5" }, { provider: "buildkite", build: "5", url: null }],
    [{ CIRCLECI: "true", CIRCLE_BUILD_NUM: "6", CIRCLE_BUILD_URL: "https://c.example/6" }, { provider: "circleci", build: "6", url: "https://c.example/6" }],
    [
      { TF_BUILD: "True", BUILD_BUILDNUMBER: "7.1", SYSTEM_TEAMFOUNDATIONCOLLECTIONURI: "https://dev.example/o/", SYSTEM_TEAMPROJECT: "p q", BUILD_BUILDID: "7" },
      { provider: "azure", build: "7.1", url: "https://dev.example/o/p%20q/_build/results?buildId=7" },
    ],
    [{ CI: "1", BUILD_NUMBER: "8" }, { provider: "ci", build: "8", url: null }],
  ];
  for (const [environment, expected] of cases) {
    const provenance = await open(project, environment).read({ ticket: "T-1" });
    assert.deepEqual(provenance.ci, expected);
    assert.equal(provenance.builder, expected.provider);
    assert.deepEqual(provenance.meta, { ticket: "T-1" });
  }
  assert.equal((await open(project, { CI: "false" }).read()).ci, null);
});

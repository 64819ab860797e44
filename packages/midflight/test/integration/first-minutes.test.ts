import assert from "node:assert/strict";
import { existsSync, statSync } from "node:fs";
import path from "node:path";
import { after, before, describe, test } from "node:test";
import { displayWidth } from "../../src/output/text.ts";
import { runHere } from "../support/run-here.ts";
import { isAlive, makeProject, type Project, type Up } from "../support/project.ts";

describe("from an empty project to the first swap and back", () => {
  let project: Project;
  let up: Up;
  before(async () => {
    project = makeProject({ files: { "midflight.config.mjs": null } });
  });
  after(async () => {
    if (up?.process.isAlive) await up.process.stop();
    project.remove();
  });

  test("init finds the start command, writes configuration, key and .gitignore, and no secret is readable by others", async () => {
    const ran = await project.run("init", "--json");
    assert.equal(ran.code, 0, ran.stderr);
    assert.deepEqual(ran.json["written"], ["midflight.config.ts", ".midflight/keys/development.key", ".midflight/root.json", ".midflight/tokens.json", ".gitignore"]);
    assert.match(project.read("midflight.config.ts"), /run: "node src\/server\.js"/);
    assert.equal(project.read(".gitignore"), ".midflight/\n");
    for (const secret of [".midflight/keys/development.key", ".midflight/tokens.json"]) assert.equal(statSync(path.join(project.directory, secret)).mode & 0o077, 0, secret);
  });

  test("init again changes nothing", async () => {
    const before = project.read("midflight.config.ts") + project.read(".midflight/tokens.json") + project.read(".midflight/keys/development.key");
    const ran = await project.run("init", "--json");
    assert.equal(ran.code, 0);
    assert.deepEqual(ran.json["written"], []);
    assert.equal(project.read("midflight.config.ts") + project.read(".midflight/tokens.json") + project.read(".midflight/keys/development.key"), before);
  });

  test("commands that need a running control say so, and exit 1", async () => {
    for (const command of ["status", "ps", "releases", "plan", "deploy", "rollback", "show"]) {
      const { code, out } = await runHere([command, "--json"], { directory: project.directory });
      assert.equal(code, 1, command);
      assert.equal((JSON.parse(out) as { error: { code: string } }).error.code, "CONTROL_NOT_RUNNING", command);
    }
  });

  test("up starts the app from its first release and says where it listens", async () => {
    project.edit("midflight.config.ts", 'code: "src",', 'code: "src",\n      health: "/readyz",\n      env: { PORT: "0" },');
    up = await project.up();
    assert.match(up.process.stdout.lines.join("\n"), /✔ web-1 +r1 +ready in .*http:\/\/127\.0\.0\.1:\d+/);
    assert.equal((await up.ask()).says, "hello");
  });

  test("up twice is refused, and the first one serves on", async () => {
    const second = await project.run("up", "--json");
    assert.equal(second.code, 3);
    assert.equal((second.json["error"] as { code: string }).code, "CONTROL_ALREADY_RUNNING");
    assert.equal((await up.ask()).says, "hello");
  });

  test("plan says what would happen and changes nothing; --exit-code tells scripts", async () => {
    assert.equal((await project.run("plan", "--exit-code")).code, 0);
    project.edit("src/greeting.js", '"hello"', '"good morning"');
    const plan = await project.run("plan", "--exit-code", "--json");
    assert.equal(plan.code, 10);
    assert.equal(plan.json["rung"], "patch");
    assert.equal((await up.ask()).says, "hello");
    assert.equal((await project.run("deploy", "--dry-run")).code, 0);
    assert.equal((await up.ask()).says, "hello");
  });

  test("deploy brings the change live in the same process, with its state", async () => {
    const before = await up.ask();
    const ran = await project.run("deploy");
    assert.equal(ran.code, 0, ran.stderr);
    assert.match(ran.stdout, /● patch +src\/greeting\.js +greet\(\): only the body changed/);
    assert.match(ran.stdout, /✔ 1 of 1 process reports r2 by digest/);
    assert.deepEqual(await up.ask(), { says: "good morning", total: before.total + 1, pid: before.pid });
  });

  test("deploy without a change publishes nothing", async () => {
    const ran = await project.run("deploy", "--json");
    assert.equal(ran.code, 0);
    assert.equal(ran.json["outcome"], "unchanged");
    assert.equal(((await project.run("releases", "--json")).json["releases"] as unknown[]).length, 2);
  });

  test("rollback without an argument goes to the release before, and deploy r2 forward again", async () => {
    const { pid } = await up.ask();
    const back = await project.run("rollback");
    assert.equal(back.code, 0, back.stderr);
    assert.match(back.stderr, /midflight deploy r2/);
    assert.deepEqual([(await up.ask()).says, (await up.ask()).pid], ["hello", pid]);
    const forward = await project.run("deploy", "r2", "--json");
    assert.equal(forward.code, 0, forward.stderr);
    assert.equal(forward.json["confirmed"], 1);
    assert.deepEqual([(await up.ask()).says, (await up.ask()).pid], ["good morning", pid]);
  });

  test("the shell is offered the releases, also from elsewhere", async () => {
    assert.deepEqual((await project.run("__complete", "--", "show", "r")).stdout.trim().split("\n"), ["r2", "r1"]);
    const { out } = await runHere(["__complete", "--", "-C", project.directory, "releases", "diff", "r1", "r"], { directory: "/" });
    assert.deepEqual(out.trim().split("\n"), ["r2", "r1"]);
  });

  test("status, ps, releases, show and diff tell the same story", async () => {
    const status = (await project.run("status", "--json")).json;
    assert.equal(status["health"], "healthy");
    assert.equal((status["live"] as { release: string }).release, "r2");
    const ps = (await project.run("ps", "--json")).json["processes"] as { live: string; boot: string; pid: number }[];
    assert.deepEqual(ps.map(({ live, boot }) => [live, boot]), [["r2", "r1"]]);
    const releases = (await project.run("releases", "--json")).json["releases"] as { release: string; state: string }[];
    assert.deepEqual(releases.map(({ release, state }) => [release, state]), [["r2", "assigned"], ["r1", "superseded"]]);
    const show = (await project.run("show", "r2", "--json")).json;
    assert.equal((show["verdicts"] as { reason: string }[])[0]!.reason, "greet(): only the body changed");
    const diff = (await project.run("releases", "diff", "r1", "r2", "--json")).json;
    assert.deepEqual((diff["files"] as { path: string; change: string }[]).map(({ path: file, change }) => [file, change]), [["src/greeting.js", "changed"]]);
  });

  test("an unknown release is refused with a guess", async () => {
    const ran = await project.run("rollback", "r22");
    assert.equal(ran.code, 2);
    assert.match(ran.stderr, /RELEASE_UNKNOWN[\s\S]*Did you mean r2\?/);
  });

  test("--meta is kept with the release", async () => {
    project.edit("src/greeting.js", '"good morning"', '"good evening"');
    assert.equal((await project.run("deploy", "--meta", "ticket=SHOP-7", "--meta", "url=https://ci.example/1")).code, 0);
    const { provenance } = (await project.run("show", "--json")).json as unknown as { provenance: { meta: unknown } };
    assert.deepEqual(provenance.meta, { ticket: "SHOP-7", url: "https://ci.example/1" });
  });

  test("nothing that is piped holds an escape, and all of it fits 80 columns", async () => {
    for (const command of [["status"], ["ps"], ["releases"], ["show"], ["plan"], ["config", "--explain"], ["releases", "diff", "r1", "r3"]]) {
      const { out: stdout, err: stderr } = await runHere(command, { directory: project.directory });
      // oxlint-disable-next-line no-control-regex
      assert.doesNotMatch(stdout + stderr, /\u001b/, command.join(" "));
      for (const line of `${stdout}\n${stderr}`.split("\n")) assert.ok(displayWidth(line) <= 80, `${command.join(" ")}: ${line}`);
    }
  });

  test("the end of up is the end of its processes", async () => {
    const { pid } = await up.ask();
    const { code } = await up.process.stop();
    assert.equal(code, 0);
    assert.equal(isAlive(pid), false);
    assert.equal(existsSync(path.join(project.directory, ".midflight/control.json")), false);
  });

  test("up again starts the live release, not the code on disk", async () => {
    project.edit("src/greeting.js", '"good evening"', '"not deployed"');
    up = await project.up();
    assert.equal((await up.ask()).says, "good evening");
  });
});

import assert from "node:assert/strict";
import { readdirSync, readFileSync } from "node:fs";
import path from "node:path";
import { afterEach, describe, test } from "node:test";
import { startLoad, type LoadRun, type StartedProcess } from "@midflight/testkit";
import { isAlive, makeProject, type Project, type Up } from "../support/project.ts";

const config = (more = ""): string =>
  `export default { app: "demo", services: { web: { run: "node src/server.js", code: "src", health: "/readyz", env: { PORT: "0" }, ${more} } } };\n`;

/** Only a new process can run it. */
const topLevel = (statement: string): readonly [string, string, string] => ["src/server.js", "const counter", `${statement}\nconst counter`];

describe("replace", () => {
  let project: Project;
  let up: Up | null = null;
  let load: LoadRun | null = null;
  afterEach(async () => {
    await load?.stop();
    load = null;
    if (up?.process.isAlive === true) await up.process.stop();
    up = null;
    project.remove();
  });

  async function prepare(more?: string): Promise<{ control: StartedProcess; url: () => string; ask: () => ReturnType<Up["ask"]> }> {
    project = makeProject({ files: { "midflight.config.mjs": config(more) } });
    // What it holds open ends by itself, as most apps do it.
    project.edit("src/server.js", 'process.on("SIGTERM", () => { server.close(() => process.exit(0)); server.closeAllConnections(); });', 'process.on("SIGTERM", () => server.close());');
    project.edit("src/server.js", "  counter.add();", '  if (request.url === "/slow") return setTimeout(() => response.end("slow"), 6000);\n  counter.add();');
    const started = (up = await project.up());
    return { control: started.process, url: () => started.url(), ask: () => started.ask() };
  }

  function startCustomers(url: string): LoadRun {
    load = startLoad({
      target: new URL(url), ratePerSecond: 60, connections: "mixed", timeoutMs: 15_000, maxLatenessMs: 10_000,
      plan: () => ({ path: "/" }),
      validate: (response) => (typeof (response.json() as { says?: unknown }).says === "string" ? null : "no greeting"),
    });
    return load;
  }

  async function assertNothingFailed(customers: LoadRun): Promise<void> {
    const report = await customers.stop();
    assert.deepEqual([report.failed, report.firstFailures, report.voidBecause], [0, [], null]);
    assert.ok(report.completed > 0);
  }

  const holderLog = (): string => readFileSync(path.join(project.directory, ".midflight/logs/holder.log"), "utf8");

  test("a new process that ends while it starts is not let near a request: the old one serves on, the release is taken back, its last lines are told", async () => {
    const { control, url, ask } = await prepare();
    const before = await ask();
    const customers = startCustomers(url());
    project.edit(...topLevel('console.error("cannot find the ledger"); throw new Error("no ledger");'));
    const deploy = await project.run("deploy", "--max-rung", "replace", "--json");
    const error = deploy.json["error"] as { code: string; why: string; state: string };
    assert.deepEqual([deploy.code, error.code], [4, "REPLACE_FAILED"], deploy.stdout);
    assert.match(error.why, /exit code 1/);
    assert.match(error.why, /cannot find the ledger/);
    assert.match(error.state, /r1 serves on 1 process/);
    await control.waitForLine(/REPLACE_FAILED/);
    await assertNothingFailed(customers);
    assert.equal((await ask()).pid, before.pid);
    assert.equal((await project.run("status", "--json")).json["health"], "healthy");
    assert.equal(holderLog(), "");
  });

  test("a new process that says where it listens only after it has taken over is known by that address all the same", async () => {
    const { ask } = await prepare();
    const before = await ask();
    project.edit("src/server.js", "() => console.log(", "() => setTimeout(() => console.log(");
    project.edit("src/server.js", ".port}`));", ".port}`), 1500));");
    assert.equal((await project.run("deploy", "--max-rung", "replace", "--json")).code, 0);
    assert.notEqual((await ask()).pid, before.pid);
  });

  test("a new process that never gets ready is ended at its deadline, with what its health path answered; the next good release comes up", async () => {
    const { url, ask } = await prepare("readyTimeoutMs: 4000");
    const before = await ask();
    const customers = startCustomers(url());
    project.edit("src/server.js", 'return response.end("ready");', '{ response.statusCode = 503; return response.end("the cache is cold"); }');
    project.edit(...topLevel("globalThis.edition = 2;"));
    const deploy = await project.run("deploy", "--max-rung", "replace", "--json");
    const error = deploy.json["error"] as { code: string; why: string };
    assert.deepEqual([deploy.code, error.code], [4, "REPLACE_FAILED"], deploy.stdout);
    assert.match(error.why, /not ready after 4 s: \/readyz answered 503: the cache is cold/);
    assert.equal((await ask()).pid, before.pid);
    project.edit("src/server.js", '{ response.statusCode = 503; return response.end("the cache is cold"); }', 'return response.end("ready");');
    assert.equal((await project.run("deploy", "--max-rung", "replace")).code, 0);
    const after = await ask();
    assert.notEqual(after.pid, before.pid);
    assert.equal((await project.run("rollback", "--json")).code, 0);
    assert.notEqual((await ask()).pid, after.pid, "the way back is a replacement, too");
    await assertNothingFailed(customers);
  });

  test("control is killed in the midst of replacements, and no request fails; what comes after it ends on one release, in one process", async () => {
    await prepare();
    const customers = startCustomers(up!.url());
    const pids = new Set([(await up!.ask()).pid]);
    const slow: Promise<string>[] = [];
    const moments = [
      // The next one starts; the old one serves.
      () => /web-1 is replaced/,
      // The next one serves; the old one still has a request to answer.
      (next: number) => new RegExp(`web-1 +r${next} +ready in`),
    ];
    let next = 2;
    for (const moment of moments) {
      project.write("src/greeting.js", `globalThis.edition = ${next};\nexport function greet() {\n  return "edition ${next}";\n}\n`);
      slow.push(fetch(new URL("/slow", up!.url())).then((answer) => answer.text()));
      const deploy = await project.start("deploy", "--max-rung", "replace", "--json");
      await up!.process.waitForLine(moment(next), { timeoutMs: 30_000 });
      await up!.process.kill("SIGKILL");
      await deploy.exited;
      up = await project.up();
      assert.equal((await project.run("deploy", "--max-rung", "replace", "--json")).code, 0);
      await untilHealthy();
      const answer = await up.ask();
      pids.add(answer.pid);
      assert.equal(answer.says, `edition ${next}`);
      next += 1;
    }
    assert.deepEqual(await Promise.all(slow), ["slow", "slow"], "a request that was open is answered by the process that took it");
    await assertNothingFailed(customers);
    for (const pid of pids) await untilGone(pid, (await up!.ask()).pid);
  });

  test("a holder that is lost stops nobody: the next replacement is a restart, and the one after it hands over again", async () => {
    const { control, ask } = await prepare();
    const before = await ask();
    process.kill(holderPid(), "SIGKILL");
    project.edit(...topLevel("globalThis.edition = 2;"));
    assert.equal((await project.run("deploy", "--max-rung", "replace")).code, 0);
    await control.waitForLine(/web-1 is started anew/);
    const restarted = await ask();
    assert.notEqual(restarted.pid, before.pid);
    const customers = startCustomers(up!.url());
    project.edit("src/server.js", "globalThis.edition = 2;", "globalThis.edition = 3;");
    assert.equal((await project.run("deploy", "--max-rung", "replace")).code, 0);
    assert.notEqual((await ask()).pid, restarted.pid);
    await assertNothingFailed(customers);
  });

  test("a service that says restart is never run twice at a time", async () => {
    const { control, ask } = await prepare('replace: "restart"');
    const before = await ask();
    project.edit(...topLevel("globalThis.edition = 2;"));
    assert.deepEqual(await plannedRestarts(), [{ target: "web-1", because: 'its service says so (replace: "restart")' }]);
    assert.equal((await project.run("deploy", "--max-rung", "replace")).code, 0);
    await control.waitForLine(/web-1 is started anew/);
    assert.notEqual((await ask()).pid, before.pid);
  });

  test("the plan says which processes cannot hand over, and why, before anything is touched: a cluster's sockets are not known", async () => {
    project = makeProject({ files: { "midflight.config.mjs": config() } });
    project.edit("src/server.js", 'import http from "node:http";', 'import cluster from "node:cluster";\nimport http from "node:http";');
    project.edit("src/server.js", "server.listen(", "if (cluster.isPrimary) cluster.fork(); else server.listen(");
    up = await project.up();
    const { pid } = await up.ask();
    project.edit(...topLevel("globalThis.edition = 2;"));
    const told = (await project.run("plan", "--max-rung", "replace")).stdout.replace(/\s+/g, " ");
    assert.match(told, /web-1 is ended before the next one starts, its connections are closed, and requests fail meanwhile: .*cluster/);
    assert.doesNotMatch(told, /A new process takes over/);
    assert.equal((await up.ask()).pid, pid, "nothing was touched");
  });

  test("the plan names nobody where all can hand over", async () => {
    await prepare();
    project.edit(...topLevel("globalThis.edition = 2;"));
    assert.deepEqual(await plannedRestarts(), []);
  });

  async function plannedRestarts(): Promise<unknown> {
    return (await project.run("plan", "--max-rung", "replace", "--json")).json["restarts"];
  }

  async function untilHealthy(): Promise<void> {
    const watch = await project.start("status", "--watch", "--json");
    await watch.waitForLine(/"health":"healthy"/, { timeoutMs: 30_000 });
    await watch.kill();
  }

  /** The holder of the project, by its command line (proc(5)). */
  function holderPid(): number {
    const found = readdirSync("/proc").find((name) => /^\d+$/.test(name) && commandLineOf(name).includes(path.join(project.directory, ".midflight/holder.sock")));
    return Number(found);
  }
});

function commandLineOf(pid: string): string {
  try {
    return readFileSync(`/proc/${pid}/cmdline`, "latin1");
  } catch {
    return "";
  }
}

async function untilGone(pid: number, but: number): Promise<void> {
  const deadline = performance.now() + 30_000;
  if (pid === but) return;
  for (; isAlive(pid); await new Promise((resolve) => setTimeout(resolve, 50))) {
    assert.ok(performance.now() < deadline, `process ${pid} is left`);
  }
}

import assert from "node:assert/strict";
import { mkdtempSync, rmSync } from "node:fs";
import os from "node:os";
import path from "node:path";
import { after, describe, test, type TestContext } from "node:test";
import { setTimeout as delay } from "node:timers/promises";
import { describeLoad, startLoad, type LoadReport, type LoadRun } from "@midflight/testkit";
import { RolloutDesk } from "./kill/rollout-desk.ts";

/** Answers 500 where the work throws, and late where it is slow. */
const server = `import http from "node:http";
import { work } from "./work.js";

let asked = 0;
const server = http.createServer(async (request, response) => {
  if (request.url === "/readyz") return response.end("ready");
  asked += 1;
  try {
    response.end(JSON.stringify({ says: await work(asked) }));
  } catch (error) {
    response.writeHead(500).end(String(error));
  }
});
// On a machine that stands still for seconds, a client would otherwise send over a connection that is just being closed.
server.keepAliveTimeout = 120_000;
server.listen(Number(process.env.PORT ?? 0), "127.0.0.1", () => console.log(\`listening on http://127.0.0.1:\${server.address().port}\`));
`;
const work = (body: string): string => `export async function work(n) {\n  ${body}\n}\n`;
const good = work('await new Promise((resolve) => setTimeout(resolve, 2));\n  return "good";');

interface Refused {
  readonly error: { readonly code: string; readonly what: string; readonly why: string; readonly state: string };
  readonly verdict: { readonly findings: readonly { metric: string; value: number | null; limit: number; samples: number; on: string }[] } | null;
}

describe("a bad release under load", () => {
  const directory = mkdtempSync(path.join(os.tmpdir(), "midflight-rollout-gates-"));
  after(() => rmSync(directory, { recursive: true, force: true }));

  async function open(t: TestContext, rollout: string, env: Readonly<Record<string, string>> = {}): Promise<{ readonly desk: RolloutDesk; readonly loads: ReadonlyMap<string, LoadRun> }> {
    const desk = new RolloutDesk(rollout, path.join(directory, "orders"), { "src/server.js": server, "src/work.js": good }, env);
    t.after(() => desk.close());
    await desk.start();
    const members = (await desk.status()).services.flatMap((service) => service.members);
    const loads = new Map(members.map(({ target, url }) => [target, startLoad({ target: new URL(url!), ratePerSecond: 60, timeoutMs: 20_000, maxLatenessMs: 20_000, plan: () => ({ path: "/" }) })]));
    t.after(() => Promise.all([...loads.values()].map((load) => load.stop())));
    return { desk, loads };
  }

  /** Deploys, and sees it stopped in its first wave. */
  async function deployBad(desk: RolloutDesk, text: string): Promise<Refused> {
    desk.project.write("src/work.js", text);
    const deployed = await desk.project.run("deploy", "--json");
    const answer = deployed.json as unknown as Refused;
    assert.equal(deployed.code, 4, deployed.stdout);
    assert.equal(answer.error.code, "ROLLOUT_STOPPED", deployed.stdout);
    assert.equal(answer.error.state, "r1 serves on 3 processes.");
    const record = desk.record()!;
    assert.deepEqual([record.phase, record.wave.length, record.step], ["rolled-back", 1, 0]);
    return answer;
  }

  test("that fails for one request in twenty is taken back by itself: metric, value, limit and number of requests are named, and only its wave paid", async (t) => {
    const { desk, loads } = await open(t, '{ steps: ["1", "100%"], bake: "1h", gates: { errors: "1%", minRequests: 100 } }');
    const { error, verdict } = await deployBad(desk, work('if (n % 20 === 0) throw new Error("no rate");\n  return "bad";'));
    const wave = desk.record()!.wave[0]!;
    assert.match(error.why, new RegExp(`errors \\d[\\d.]* %, limit 1 %: \\d+ of \\d+ requests on ${wave}`));
    const [finding] = verdict!.findings;
    assert.deepEqual([finding?.metric, finding?.limit, finding?.on], ["errors", 0.01, wave]);
    assert.ok(finding!.value! > 0.01 && finding!.samples >= 100, JSON.stringify(finding));
    const reports = new Map<string, LoadReport>();
    for (const [target, load] of loads) reports.set(target, await load.stop());
    for (const [target, report] of reports) {
      t.diagnostic(`${target}: ${describeLoad(report)}`);
      // Of the wave, wrong answers of the release; of the others, and for any other reason, none.
      assert.deepEqual([report.failed > 0, report.failures.status], [target === wave, report.failed], target);
    }
    t.diagnostic(error.why);
  });

  test("that is slow for one request in twenty is taken back by itself", async (t) => {
    const { desk } = await open(t, '{ steps: ["1", "100%"], bake: "1h", gates: { p99: "2x", minRequests: 100 } }');
    const { error } = await deployBad(desk, work('await new Promise((resolve) => setTimeout(resolve, n % 20 === 0 ? 1500 : 2));\n  return "slow";'));
    assert.match(error.why, /p99 .*, limit .* \(2 × .* of the others\): .* requests on web-\d/);
    t.diagnostic(error.why);
  });

  test("and a good one that nobody asks anything is held: it goes on when there is something to judge it by", async (t) => {
    const { desk, loads } = await open(t, '{ steps: ["1", "100%"], bake: "200ms", gates: { errors: "1%", minRequests: 300 } }');
    for (const load of loads.values()) await load.stop();
    desk.project.write("src/work.js", work('return "better";'));
    const deploying = await desk.project.start("deploy", "--json");
    for (const deadline = performance.now() + 120_000; desk.record()?.phase !== "held"; await delay(20)) assert.ok(performance.now() < deadline, JSON.stringify(desk.record()));
    const { rollout, services } = await desk.status();
    assert.match(String(rollout?.because), /errors: .* of at least 300 requests were measured on web-\d|no process of the wave has measured a request/);
    const again = services.flatMap(({ members }) => members).map(({ url }) => startLoad({ target: new URL(url!), ratePerSecond: 100, timeoutMs: 20_000, maxLatenessMs: 20_000, plan: () => ({ path: "/" }) }));
    const { code } = await deploying.exited;
    for (const load of again) assert.equal((await load.stop()).failed, 0);
    assert.equal(code, 0, deploying.stdout.lines.join(""));
    assert.equal(desk.record()?.phase, "done");
  });

  test("that its own process takes back is taken back everywhere, once: the release before it stays", async (t) => {
    const { desk } = await open(t, '{ steps: ["1", "100%"], bake: "500ms" }', { MIDFLIGHT_PROBATION_MS: "60000" });
    desk.project.write("src/work.js", work('return "better";'));
    const better = await desk.project.run("deploy", "--json");
    assert.equal(better.code, 0, better.stdout);
    desk.project.write("src/work.js", work('if (n > 0) throw new Error("no rate");\n  return "bad";'));
    const deployed = await desk.project.run("deploy", "--json");
    assert.equal(deployed.code, 4, deployed.stdout);
    const status = await desk.untilOne("taken back by itself");
    assert.equal(status.live?.release, "r2");
    const { json } = await desk.project.run("releases", "--json");
    const states = (json["releases"] as { release: string; state: string }[]).map(({ release, state }) => [release, state]);
    assert.deepEqual(states, [["r3", "rolled-back"], ["r2", "assigned"], ["r1", "superseded"]]);
  });

  test("that ends while it starts never gets a request, and no process outside of its wave is touched", async (t) => {
    const { desk, loads } = await open(t, '{ steps: ["1", "100%"], bake: "1h", maxRung: "replace" }');
    const pids = (status: Awaited<ReturnType<RolloutDesk["status"]>>): unknown => status.services.flatMap(({ members }) => members.map(({ target, pid }) => [target, pid]));
    const before = pids(await desk.status());
    desk.project.write("src/server.js", `throw new Error("no port");\n${server}`);
    const deployed = await desk.project.run("deploy", "--json");
    assert.equal(deployed.code, 4, deployed.stdout);
    assert.equal((deployed.json as unknown as Refused).error.code, "REPLACE_FAILED");
    assert.match((deployed.json as unknown as Refused).error.why, /no port/);
    assert.equal(desk.record()?.phase, "rolled-back");
    assert.deepEqual(pids(await desk.untilOne("after a start that failed")), before);
    for (const load of loads.values()) {
      const report = await load.stop();
      assert.equal(report.failed, 0, JSON.stringify(report.firstFailures.slice(0, 3)));
    }
  });
});

import assert from "node:assert/strict";
import http from "node:http";
import { after, describe, test } from "node:test";
import { setTimeout as delay } from "node:timers/promises";
import { makeProject, type Project, type Up } from "../support/project.ts";

interface Shown {
  readonly phase: string;
  readonly processes: readonly string[];
  readonly because: string | null;
  readonly verdict: { readonly kind: string } | null;
}
interface Member {
  readonly target: string;
  readonly url: string;
  readonly release: string;
}

const server = `import http from "node:http";
import { greet, delayMs } from "./greeting.js";

let asked = 0;
const readyAt = Date.now() + Number(process.env.WARM_MS);
const server = http.createServer((request, response) => {
  if (request.url === "/readyz") {
    response.statusCode = Date.now() < readyAt ? 503 : 200;
    return response.end();
  }
  setTimeout(() => {
    try {
      response.end(greet(asked++));
    } catch {
      response.statusCode = 500;
      response.end();
    }
  }, delayMs());
});
server.listen(0, "127.0.0.1", () => console.log(\`listening on http://127.0.0.1:\${server.address().port}\`));
process.on("SIGTERM", () => { server.close(() => process.exit(0)); server.closeAllConnections(); });
`;
const greeting = `export function greet(n) {
  return "hello";
}
export function delayMs() {
  return 10;
}
`;

/** Asks every process again and again, and counts by process what failed. */
class Load {
  readonly failed = new Map<string, number>();
  readonly #agent = new http.Agent({ keepAlive: true });
  #isOver = false;
  readonly #done: Promise<unknown>;
  requests = 0;

  constructor(members: readonly Member[]) {
    this.#done = Promise.all(members.flatMap((member) => [0, 1].map(() => this.#askOn(member))));
  }

  async #askOn({ target, url }: Member): Promise<void> {
    while (!this.#isOver) {
      const isGood = await new Promise<boolean>((resolve) => {
        http
          .get(url, { agent: this.#agent }, (response) => {
            response.resume().on("end", () => resolve(response.statusCode === 200));
          })
          .on("error", () => resolve(false));
      });
      this.requests++;
      if (!isGood) this.failed.set(target, (this.failed.get(target) ?? 0) + 1);
      await delay(5);
    }
  }

  async stop(): Promise<void> {
    this.#isOver = true;
    await this.#done;
    this.#agent.destroy();
  }
}

describe("gates on what processes measure", () => {
  const projects: Project[] = [];
  const ups: Up[] = [];
  const loads: Load[] = [];
  after(async () => {
    await Promise.all(loads.map((load) => load.stop()));
    for (const { process: up } of ups) if (up.isAlive) await up.stop();
    for (const project of projects) project.remove();
  });

  async function open(rollout: string, warmMs = 0): Promise<{ readonly project: Project; readonly up: Up }> {
    const project = makeProject({
      files: {
        "src/server.js": server,
        "src/greeting.js": greeting,
        "midflight.config.mjs": `export default {
  app: "demo",
  services: { web: { run: "node src/server.js", code: "src", health: "/readyz", env: { PORT: "0", WARM_MS: "${warmMs}" }, processes: 3 } },
  rollout: ${rollout},
};
`,
      },
    });
    projects.push(project);
    const up = await project.up();
    ups.push(up);
    return { project, up };
  }

  async function load(project: Project): Promise<Load> {
    const begun = new Load((await status(project)).services[0]!.members);
    loads.push(begun);
    return begun;
  }

  async function status(project: Project): Promise<{ readonly rollout: Shown; readonly services: readonly { readonly members: readonly Member[] }[] }> {
    const { json, code, stdout, stderr } = await project.run("status", "--json");
    assert.equal(code, 0, stdout + stderr);
    return json as never;
  }

  async function until(project: Project, isThere: (rollout: Shown | null) => boolean): Promise<Shown> {
    for (const deadline = performance.now() + 120_000; ; ) {
      const { rollout } = await status(project);
      if (isThere(rollout)) return rollout;
      assert.ok(performance.now() < deadline, JSON.stringify(rollout));
    }
  }

  test("a release that fails for one request in twenty is stopped in its first wave, by name and number, and the others never ran it", async () => {
    const { project, up } = await open('{ steps: ["1", "100%"], bake: "1h", gates: { errors: "1%", minRequests: 50 } }');
    const asking = await load(project);
    project.edit("src/greeting.js", '  return "hello";', '  if (n % 20 === 0) throw new Error("tax");\n  return "hi";');
    const deployed = await project.run("deploy", "--json", "--timeout", "120");
    await asking.stop();
    assert.equal(deployed.code, 4, deployed.stdout);
    const { rollout, services } = await status(project);
    assert.equal(rollout.phase, "rolled-back");
    const [inWave] = [...asking.failed.keys()];
    assert.equal(asking.failed.size, 1, JSON.stringify([...asking.failed]));
    assert.match(rollout.because!, new RegExp(`^errors [\\d.]+ %, limit 1 %: [\\d,]+ of [\\d,]+ requests on ${inWave}$`));
    assert.equal(rollout.verdict!.kind, "failed");
    assert.deepEqual([...new Set(services[0]!.members.map(({ release }) => release))], ["r1"]);
    assert.match(deployed.stdout, /limit 1 %/);
    await up.process.stop();
  });

  test("a release whose slowest one in a hundred takes far longer than beside it is stopped; one that is as fast goes on", async () => {
    const { project, up } = await open('{ steps: ["1", "100%"], bake: "1s", gates: { p99: "2x", minRequests: 200 } }');
    const asking = await load(project);
    project.edit("src/greeting.js", '"hello"', '"hi"');
    const good = await project.run("deploy", "--json", "--timeout", "300");
    assert.equal(good.code, 0, good.stdout);
    // Nothing but a verdict that all is well lets the second wave follow.
    assert.equal((await status(project)).rollout.phase, "done");
    project.edit("src/greeting.js", "return 10;", "return 10 + 80;");
    const slow = await project.run("deploy", "--json", "--timeout", "300");
    await asking.stop();
    assert.equal(slow.code, 4, slow.stdout);
    const { rollout } = await status(project);
    assert.match(rollout.because!, /^p99 \d+ ms, limit \d+ ms \(2 × [\d.]+ ms of the others\): [\d,]+ requests on web-\d$/);
    assert.equal(asking.failed.size, 0);
    await up.process.stop();
  });

  test("what a new process answers while it gets ready is no failure of its release", async () => {
    const { project, up } = await open('{ steps: ["1", "100%"], bake: "1s", maxRung: "replace", gates: { errors: "1%", minRequests: 50 } }', 2500);
    const asking = await load(project);
    project.edit("src/server.js", "let asked = 0;", "let asked = 1;");
    const deployed = await project.run("deploy", "--json", "--timeout", "300");
    await asking.stop();
    assert.equal(deployed.code, 0, deployed.stdout);
    assert.equal((await status(project)).rollout.phase, "done");
    assert.equal(asking.failed.size, 0);
    await up.process.stop();
  });

  test("what processes measure is shown by status, status --watch and ps, for people and as JSON", async () => {
    const { project, up } = await open("{}");
    const watching = await project.start("status", "--watch", "--json");
    const blocks = await project.start("status", "--watch");
    const asking = await load(project);
    type Figures = { release: string; processes: number; requests: number; errors: number; perSecond: number; p50Seconds: number; p99Seconds: number };
    const line = await watching.waitForLine(/"perSecond":[1-9]/, { timeoutMs: 60_000 });
    const [{ measured: [figures] } = assert.fail()] = (JSON.parse(line.input) as { services: { measured: Figures[] }[] }).services;
    assert.equal(figures!.release, "r1");
    assert.ok(figures!.p50Seconds >= 0.009 && figures!.p99Seconds >= figures!.p50Seconds && figures!.errors === 0, JSON.stringify(figures));
    const blocksBefore = blocks.stdout.lines.filter((text) => text.startsWith("demo")).length;
    const shown = await project.run("status");
    assert.match(shown.stdout, /^SERVICE +RELEASE +MEASURED +REQ\/S +P50 +P99 +ERRORS$/m);
    assert.match(shown.stdout, /^web +r1 +3 +[\d.,]+ +[\d.,]+ ms +[\d.,]+ ms +0 %$/m);
    assert.ok(shown.stdout.split("\n").every((text) => text.length <= 80), shown.stdout);
    const ps = await project.run("ps", "--json");
    type Process = { target: string; measured: Figures & { releases: { release: string; requests: number; open: number }[] } };
    const processes = ps.json["processes"] as Process[];
    assert.deepEqual(processes.map(({ target }) => target), ["web-1", "web-2", "web-3"]);
    // Two at a time are asked for; histograms are no answer to people who write scripts.
    for (const { measured } of processes) assert.ok(measured.releases.length === 1 && measured.releases[0]!.open <= 2 && measured.releases[0]!.requests >= measured.requests, ps.stdout);
    assert.doesNotMatch(ps.stdout, /"latency"/);
    // Figures alone are no news to people who get a block of lines for each change.
    const asked = async (): Promise<number> => ((await status(project)).services[0] as unknown as { measured: Figures[] }).measured[0]!.requests;
    for (const deadline = performance.now() + 60_000; (await asked()) === figures!.requests; ) assert.ok(performance.now() < deadline, "figures stand still");
    await asking.stop();
    assert.equal(blocks.stdout.lines.filter((text) => text.startsWith("demo")).length, blocksBefore, blocks.stdout.lines.join("\n"));
    for (const one of [watching, blocks]) await one.stop();
    await up.process.stop();
  });

  test("no data is no success: without requests a wave is held for good, and goes on when there are enough", async () => {
    const { project, up } = await open('{ steps: ["1", "100%"], bake: "200ms", gates: { errors: "1%", minRequests: 50 } }');
    project.edit("src/greeting.js", '"hello"', '"hi"');
    const deploying = await project.start("deploy", "--json");
    const held = await until(project, (rollout) => rollout?.phase === "held");
    assert.match(held.because!, /no process of the wave has measured a request|errors: \d+ of at least 50 requests were measured on web-\d/);
    const asking = await load(project);
    const { code } = await deploying.exited;
    await asking.stop();
    assert.equal(code, 0, deploying.stdout.lines.join(""));
    assert.equal(asking.failed.size, 0);
    await up.process.stop();
  });
});

import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { afterEach, describe, test } from "node:test";
import { freePort, type LoadRun, startLoad } from "@midflight/testkit";
import { makeProject, type Project, type Up } from "../support/project.ts";

const guide = readFileSync(new URL("../../../../docs/guides/any-language.md", import.meta.url), "utf8");

/** The program as the guide shows it; what is shown is what is tested. */
function shown(file: string): string {
  const block = Array.from(guide.matchAll(/^```\w+\n(.*?)^```$/gms), (match) => match[1]!).find((text) => text.split("\n")[0]!.endsWith(` ${file}`));
  assert.ok(block !== undefined, `the guide shows ${file}`);
  return block;
}

const programs = {
  python: { file: "api/server.py", run: "python3 api/server.py", greeting: 'GREETING = "hello"', says: (text: string) => `GREETING = "${text}"`, ready: 'self.answer("ready")', never: 'self.send_error(503, "the cache is cold")' },
  node: { file: "api/server.mjs", run: "node api/server.mjs", greeting: 'says: "hello"', says: (text: string) => `says: "${text}"`, ready: 'response.end("ready")', never: 'response.writeHead(503).end("the cache is cold")' },
} as const;

for (const [language, program] of Object.entries(programs)) {
  describe(`a service without the agent, in ${language}`, { timeout: 180_000 }, () => {
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

    async function prepare(more = ""): Promise<{ url: URL }> {
      const port = await freePort();
      const service = `{ run: "${program.run}", code: "api", agent: false, listen: ["127.0.0.1:${port}"], health: "/readyz", ${more} }`;
      project = makeProject({
        files: { "midflight.config.mjs": `export default { app: "demo", services: { api: ${service} } };\n`, [program.file]: shown(program.file).replace('"8000"', `"${port}"`), "src/server.js": null },
      });
      up = await project.up();
      return { url: new URL(`http://127.0.0.1:${port}`) };
    }

    function startCustomers(url: URL): LoadRun {
      load = startLoad({
        target: url, ratePerSecond: 60, connections: "mixed", timeoutMs: 15_000, maxLatenessMs: 10_000,
        plan: () => ({ path: "/" }),
        validate: (response) => (typeof (response.json() as { says?: unknown }).says === "string" ? null : "no greeting"),
      });
      return load;
    }

    test("is replaced under load with no failed request, and the one before answers what it had begun", async () => {
      const { url } = await prepare('drain: "/drain"');
      const customers = startCustomers(url);
      let before = await ask(url);
      for (const [turn, next] of ["one", "two", "three"].entries()) {
        const slow = fetch(new URL("/slow", url)).then((answer) => answer.json() as Promise<Answer>);
        const former = turn === 0 ? program.greeting : program.says(["one", "two"][turn - 1]!);
        project.edit(program.file, former, program.says(next));
        const deployed = await project.run("deploy", "--max-rung", "replace", "--json");
        assert.equal(deployed.code, 0, deployed.stdout);
        assert.deepEqual(deployed.json["confirmed"], 1);
        const after = await ask(url);
        assert.deepEqual([after.says, after.pid === before.pid], [next, false]);
        assert.equal((await slow).pid, before.pid);
        before = after;
      }
      await up!.process.waitForLine(/handed over|ended|drained/);
      assert.equal((await project.run("rollback", "--json")).code, 0);
      assert.equal((await ask(url)).says, "two");
      const report = await customers.stop();
      assert.deepEqual([report.failed, report.firstFailures, report.voidBecause], [0, [], null]);
      assert.ok(report.completed > 0);
      assert.equal((await project.run("status", "--json")).json["health"], "healthy");
    });

    test("what never gets ready is ended and taken back, with what its health path answered; the one before serves on", async () => {
      const { url } = await prepare('drain: "/drain", readyTimeoutMs: 3000');
      const customers = startCustomers(url);
      const before = await ask(url);
      project.edit(program.file, program.ready, program.never);
      const deployed = await project.run("deploy", "--max-rung", "replace", "--json");
      const error = deployed.json["error"] as { code: string; why: string };
      assert.deepEqual([deployed.code, error.code], [4, "REPLACE_FAILED"], deployed.stdout);
      assert.match(error.why, /readyz answered 503/);
      assert.equal((await ask(url)).pid, before.pid);
      const report = await customers.stop();
      assert.deepEqual([report.failed, report.firstFailures, report.voidBecause], [0, [], null]);
    });

    test("a deploy that may not replace says so and touches nothing", async () => {
      const { url } = await prepare();
      const before = await ask(url);
      project.edit(program.file, program.greeting, program.says("later"));
      const deployed = await project.run("deploy", "--json");
      const error = deployed.json["error"] as { code: string; why: string };
      assert.deepEqual([deployed.code, error.code], [3, "REPLACE_NEEDED"], deployed.stdout);
      assert.match(JSON.stringify(error), /code of api, which runs without an agent/);
      assert.deepEqual(await ask(url), before);
    });
  });
}

interface Answer {
  readonly says: string;
  readonly pid: number;
}

async function ask(url: URL): Promise<Answer> {
  return (await fetch(url, { headers: { connection: "close" } })).json() as Promise<Answer>;
}

import assert from "node:assert/strict";
import { existsSync, rmSync, writeFileSync } from "node:fs";
import http from "node:http";
import type { AddressInfo } from "node:net";
import path from "node:path";
import { afterEach, describe, test } from "node:test";
import { startProcess } from "@midflight/testkit";
import { makeProject, type Project, type ProjectOptions, type Up } from "../support/project.ts";

const config = (service: string, more = ""): string => `export default { app: "demo", ${more} services: { web: { run: "node src/server.js", code: "src", ${service} } } };\n`;

describe("services", () => {
  let project: Project;
  let up: Up | null = null;
  afterEach(async () => {
    if (up?.process.isAlive === true) await up.process.stop();
    up = null;
    project.remove();
  });

  function prepare(options: ProjectOptions): Project {
    project = makeProject(options);
    return project;
  }

  test("several processes swap together and are replaced one after the other, so that one always serves", async () => {
    prepare({ files: { "midflight.config.mjs": config('processes: 2, health: "/readyz", env: { PORT: "0" }') } });
    up = await project.up();
    project.edit("src/greeting.js", '"hello"', '"both"');
    const swapped = await project.run("deploy", "--json");
    assert.deepEqual([swapped.code, swapped.json["confirmed"]], [0, 2], swapped.stdout);
    project.edit("src/counter.js", "total = 0;", "total = 0;\n  step = 1;");
    const replaced = await project.run("deploy", "--max-rung", "replace", "--json");
    assert.deepEqual([replaced.code, replaced.json["confirmed"]], [0, 2], replaced.stdout);
    const lines = up.process.stdout.lines.filter((line) => /is replaced|ready in/.test(line)).map((line) => line.replace(/^\s*\S+\s+(web-\d).*?(is replaced|ready in).*$/, "$1 $2"));
    const afterStart = lines.slice(lines.findIndex((line) => line.endsWith("is replaced")));
    assert.deepEqual(afterStart, ["web-1 is replaced", "web-1 ready in", "web-2 is replaced", "web-2 ready in"]);
    const status = (await project.run("status", "--json")).json;
    assert.equal(status["health"], "healthy");
  });

  test("errors that follow a swap take it back, in every process and for the next start", async () => {
    prepare({ env: { MIDFLIGHT_PROBATION_MS: "4000" } });
    project.edit("src/server.js", "counter.add();", 'counter.add();\n  if (greet() === "broken") { response.statusCode = 500; return response.end("{}"); }');
    up = await project.up();
    const { pid } = await up.ask();
    project.edit("src/greeting.js", '"hello"', '"broken"');
    assert.equal((await project.run("deploy")).code, 0);
    for (let n = 0; n < 8; n++) await fetch(up.url(), { headers: { connection: "close" } });
    await up.process.waitForLine(/r1 is live by rollback: web-1 took r2 back/);
    await up.process.waitForLine(/web-1 runs r1|took back r2/);
    const after = await up.ask();
    assert.deepEqual([after.says, after.pid], ["hello", pid]);
    const show = (await project.run("show", "r2", "--json")).json;
    assert.equal(show["state"], "rolled-back");
  });

  const hanging = (policy: string): Record<string, string> => ({
    "midflight.config.mjs": config('health: "/readyz", env: { PORT: "0" }, drainTimeoutMs: 1000', `requests: { ${policy} },`),
    "src/server.js": `import http from "node:http";
import { greet } from "./greeting.js";
const server = http.createServer((request, response) => {
  if (request.url === "/readyz") return response.end("ready");
  if (request.url === "/hang") return console.log("hangs");
  response.end(JSON.stringify({ says: greet(), total: 0, pid: process.pid }));
});
server.listen(Number(process.env.PORT ?? 0), "127.0.0.1", () => console.log(\`listening on http://127.0.0.1:\${server.address().port}\`));
process.on("SIGTERM", () => { server.close(() => process.exit(0)); server.closeAllConnections(); });
`,
  });
  /** A request that is never answered; says how it ended. */
  async function hang(): Promise<{ readonly ended: Promise<string> }> {
    const ended = new Promise<string>((resolve) => {
      const sent = http.get(`${up!.url()}/hang`, { agent: false }, () => resolve("answered"));
      sent.on("error", () => resolve("closed"));
      sent.on("socket", (socket) => socket.on("close", () => resolve("closed")));
    });
    await up!.process.waitForLine(/hangs/);
    return { ended };
  }

  for (const policy of ['pinMs: 500, straggler: "replace"', 'policy: "drain", holdMs: 500, straggler: "replace"']) {
    test(`a request that never ends costs its process, where the policy says so (${policy})`, async () => {
      prepare({ files: hanging(policy) });
      up = await project.up("--logs");
      const before = await up.ask();
      const { ended } = await hang();
      project.edit("src/greeting.js", '"hello"', '"later"');
      const deployed = await project.run("deploy", "--json");
      assert.equal(deployed.code, 0, deployed.stdout);
      await up.process.waitForLine(/web-1 is replaced/);
      assert.equal(await ended, "closed");
      await up.process.waitForLine(new RegExp(`ready in .*process (?!${before.pid}\\b)`));
      const after = await up.ask();
      assert.deepEqual([after.says, after.pid === before.pid], ["later", false]);
    });
  }

  test("a request that never ends goes on with the new code otherwise, and its process stays", async () => {
    prepare({ files: hanging('policy: "drain", holdMs: 500') });
    up = await project.up("--logs");
    const before = await up.ask();
    await hang();
    project.edit("src/greeting.js", '"hello"', '"later"');
    assert.equal((await project.run("deploy")).code, 0);
    const after = await up.ask();
    assert.deepEqual([after.says, after.pid], ["later", before.pid]);
  });

  test("outside of development a deploy asks; without a terminal it names the flag and does nothing", async () => {
    prepare({ files: { "midflight.config.mjs": config('health: "/readyz", env: { PORT: "0" }', 'channel: "production",') } });
    up = await project.up();
    project.edit("src/greeting.js", '"hello"', '"production"');
    const asked = await project.run("deploy", "--json");
    assert.equal(asked.code, 2);
    const error = asked.json["error"] as { code: string; fix: string[] };
    assert.equal(error.code, "CONFIRMATION_MISSING");
    assert.match(error.fix[0]!, /--yes/);
    assert.equal((await up.ask()).says, "hello");
    assert.equal((await project.run("deploy", "--yes")).code, 0);
    assert.equal((await up.ask()).says, "production");
    assert.equal((await project.run("rollback")).code, 2);
    assert.equal((await project.run("rollback", "--yes")).code, 0);
    assert.equal((await up.ask()).says, "hello");
  });

  test("an app finds the rest of its project where it always was, and writes there", async () => {
    prepare({ files: { "public/page.txt": "a page", ".env": "FROM_FILE=yes\n" } });
    project.edit("midflight.config.mjs", "node src/server.js", "node --env-file=.env src/server.js");
    project.edit("src/server.js", "const counter", 'import fs from "node:fs";\nfs.mkdirSync("data", { recursive: true });\nfs.writeFileSync("data/kept.txt", fs.existsSync("data/kept.txt") ? "twice" : "once");\nfs.writeFileSync("public/written.txt", process.env.FROM_FILE + fs.readFileSync("public/page.txt", "utf8"));\nconst counter');
    up = await project.up();
    assert.equal(project.read("public/written.txt"), "yesa page");
    await up.process.stop();
    up = await project.up();
    assert.equal(project.read("data/kept.txt"), "twice", "what the app made belongs to the project");
  });

  test("a port that is taken is named, and the service comes up when it is free", async () => {
    const other = http.createServer().listen(0, "127.0.0.1");
    await new Promise((resolve) => other.once("listening", resolve));
    const port = String((other.address() as AddressInfo).port);
    prepare({ files: { "midflight.config.mjs": config(`health: "/readyz", env: { PORT: "${port}" }`) } });
    up = await project.up();
    assert.match(up.process.stdout.lines.join(" ").replace(/\s+/g, " "), /its port is in use by another program/);
    await new Promise((resolve) => other.close(resolve));
    await up.process.waitForLine(/✔ web-1 +r1 +ready/, { timeoutMs: 60_000 });
  });

  test("the registry's own port that is taken is PORT_IN_USE, and nothing is left running", async () => {
    const other = http.createServer().listen(0, "127.0.0.1");
    await new Promise((resolve) => other.once("listening", resolve));
    const port = (other.address() as AddressInfo).port;
    prepare({ files: { "midflight.config.mjs": config('env: { PORT: "0" }', `port: ${port},`) } });
    const ran = await project.run("up", "--json");
    assert.equal((ran.json["error"] as { code: string }).code, "PORT_IN_USE");
    assert.equal(ran.code, 1);
    await new Promise((resolve) => other.close(resolve));
  });

  test("a damaged registry file is told as such, and is not touched", async () => {
    prepare({});
    project.write(".midflight/registry.db", "this is no database, ".repeat(400));
    const before = project.read(".midflight/registry.db");
    const ran = await project.run("up", "--json");
    assert.equal((ran.json["error"] as { code: string }).code, "REGISTRY_STORE_DAMAGED");
    assert.equal(project.read(".midflight/registry.db"), before);
  });

  test("a first release that cannot boot is tried again and again, and the corrected one comes up by a deploy", async () => {
    prepare({ files: { "src/greeting.js": 'throw new Error("cannot start");\nexport function greet() {\n  return "hello";\n}\n' } });
    up = await project.up();
    await up.process.waitForLine(/cannot start/);
    await up.process.waitForLine(/BOOT_FAILED_TWICE/);
    const down = (await project.run("status", "--json")).json;
    assert.equal(down["health"], "down");
    project.write("src/greeting.js", 'export function greet() {\n  return "corrected";\n}\n');
    const ran = await project.run("deploy", "--max-rung", "replace", "--json");
    assert.equal(ran.code, 0, ran.stdout);
    assert.equal((await up.ask()).says, "corrected");
  });

  test("a key that is lost is told, and nothing starts with a new one behind it", async () => {
    prepare({});
    up = await project.up();
    await up.process.stop();
    const key = path.join(project.directory, ".midflight/keys/development.key");
    for (const lose of [() => writeFileSync(key, "not a key"), () => rmSync(key)]) {
      lose();
      const ran = await project.run("up", "--json");
      assert.equal((ran.json["error"] as { code: string }).code, "KEY_MISSING");
    }
    assert.equal(existsSync(key), false);
  });

  test("a process that was launched and not written down any more is found by its environment; a child of an app is left alone", async () => {
    prepare({});
    const env = { MIDFLIGHT_STATE: path.join(project.directory, ".midflight/state/web-1"), MIDFLIGHT_OWNER_PID: undefined };
    const orphan = await startProcess({ command: "sleep", args: ["60"], env });
    const child = await startProcess({ command: "sleep", args: ["60"], env: { ...env, MIDFLIGHT_OWNER_PID: "1" } });
    const other = await startProcess({ command: "sleep", args: ["60"], env: { ...env, MIDFLIGHT_STATE: "/elsewhere/.midflight/state/web-1" } });
    try {
      up = await project.up();
      assert.deepEqual([orphan.isAlive, child.isAlive, other.isAlive], [false, true, true]);
    } finally {
      await Promise.all([orphan.kill(), child.kill(), other.kill()]);
    }
  });

  test("init keeps what is there, and asks for nothing that it can find", async () => {
    prepare({ files: { "midflight.config.mjs": null, "package.json": '{ "name": "none" }', "src/server.js": null, ".gitignore": "dist\n" } });
    const asked = await project.run("init", "--json");
    assert.equal(asked.code, 2);
    assert.match(JSON.stringify(asked.json["error"]), /--run/);
    const given = await project.run("init", "--run", "node lib/main.js", "--json");
    assert.equal(given.code, 0, given.stdout);
    assert.match(project.read("midflight.config.mts"), /run: "node lib\/main\.js",\n {6}code: "lib"/);
    assert.equal(project.read(".gitignore"), "dist\n.midflight/\n");
  });
});

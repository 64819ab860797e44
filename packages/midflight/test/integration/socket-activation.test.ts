import assert from "node:assert/strict";
import { spawn, type ChildProcess } from "node:child_process";
import { once } from "node:events";
import net from "node:net";
import { createInterface } from "node:readline";
import { afterEach, describe, test } from "node:test";
import { text } from "node:stream/consumers";
import { fileURLToPath } from "node:url";
import { freePort } from "@midflight/testkit";
import { bindSocket } from "../../../supervisor/src/holder/bind-socket.ts";
import { makeProject, type Project } from "../support/project.ts";

const main = fileURLToPath(new URL("../../src/main.ts", import.meta.url));

describe("sockets that midflight is started with, as by systemd", { timeout: 120_000 }, () => {
  let project: Project;
  let up: ChildProcess | null = null;
  afterEach(async () => {
    if (up !== null && up.exitCode === null) {
      up.kill("SIGTERM");
      await once(up, "exit");
    }
    up = null;
    project.remove();
  });

  /** What systemd does: opens, passes from descriptor 3 on, and says for whom; a shell that becomes midflight knows its own number. */
  async function start(fd: number): Promise<void> {
    const command = 'export LISTEN_PID=$$; exec "$0" "$@"';
    up = spawn("/bin/sh", ["-c", command, process.execPath, "--conditions=@midflight/source", "--disable-warning=ExperimentalWarning", main, "up"], {
      cwd: project.directory, env: { ...process.env, NO_COLOR: "1", LISTEN_FDS: "1", LISTEN_FDNAMES: "web.socket" }, stdio: ["ignore", "pipe", "inherit", fd],
    });
    for await (const line of createInterface({ input: up.stdout! })) if (/\d+ of \d+ process(es)? ready/.test(line)) return;
    assert.fail("midflight ended");
  }

  test("serve from the first moment: who connects before midflight is there is answered, and several processes share them", async () => {
    const port = await freePort();
    const systemd = await bindSocket(`127.0.0.1:${port}`);
    const early = ask(port);
    project = makeProject({ files: { "midflight.config.mjs": `export default { app: "demo", services: { web: { run: "node src/server.js", code: "src", health: "/readyz", processes: 2, listen: ["127.0.0.1:${port}"] } } };\n` } });
    await start(systemd.fd);
    systemd.close();
    const first = await early;
    process.kill(first.pid, "SIGKILL");
    const second = await untilOther(port, first.pid);
    project.edit("src/counter.js", "total = 0;", "total = 0;\n  step = 1;");
    const deployed = await project.run("deploy", "--max-rung", "replace", "--json");
    assert.deepEqual([deployed.code, deployed.json["confirmed"]], [0, 2], deployed.stdout);
    for (let n = 0; n < 20; n++) assert.equal([first.pid, second.pid].includes((await ask(port)).pid), false, "only the next ones answer");
  });
});

/** One that is killed may take a last connection along. */
async function untilOther(port: number, pid: number): Promise<{ pid: number }> {
  for (const deadline = performance.now() + 30_000; ; ) {
    const answer = await ask(port).catch(() => null);
    if (answer !== null && answer.pid !== pid) return answer;
    assert.ok(performance.now() < deadline, "nobody else answers");
  }
}

async function ask(port: number): Promise<{ pid: number }> {
  const socket = net.connect(port, "127.0.0.1");
  socket.end("GET / HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n");
  const answer = await text(socket);
  return JSON.parse(answer.slice(answer.indexOf("{"), answer.lastIndexOf("}") + 1)) as { pid: number };
}

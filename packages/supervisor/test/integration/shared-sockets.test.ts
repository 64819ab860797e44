import assert from "node:assert/strict";
import { mkdtempSync, rmSync } from "node:fs";
import net from "node:net";
import os from "node:os";
import path from "node:path";
import { after, before, describe, test } from "node:test";
import { text } from "node:stream/consumers";
import type { MidflightError } from "@midflight/protocol";
import { freePort } from "@midflight/testkit";
import { openHolder, type HeldProcess, type Holder } from "../../src/holder/connect-holder.ts";
import type { Passing } from "../../src/holder/words.ts";
import { drainByContract } from "../../src/drain-by-contract.ts";
import { adopt } from "../../src/child.ts";
import { identify } from "../../src/process-identity.ts";

/** Says what it was given on every connection that it takes, wherever that comes from. */
const program = `
  const http = require("node:http");
  const given = Object.fromEntries(["LISTEN_PID", "LISTEN_FDS", "LISTEN_FDNAMES", "PORT"].map((name) => [name, process.env[name]]));
  const names = (process.env.LISTEN_FDNAMES ?? "").split(":");
  let asked = 0;
  const answer = (request, response) => {
    if (request.method !== "POST") return response.end(JSON.stringify({ ...given, pid: process.pid }));
    asked += 1;
    const isMine = request.headers.authorization === "Bearer " + process.env.MIDFLIGHT_DRAIN_TOKEN;
    if (process.env.NEVER === "silent") return response.writeHead(500).end();
    response.end(JSON.stringify({ safeToStop: isMine && asked > 3 && process.env.NEVER !== "open", open: 2 }));
  };
  const door = process.env.MIDFLIGHT_DOOR_PORT === undefined ? { fd: 3 + names.indexOf("midflight") } : { port: Number(process.env.MIDFLIGHT_DOOR_PORT), host: "127.0.0.1" };
  http.createServer(answer).listen(door, () => http.createServer(answer).listen({ fd: process.env.LISTEN_FDS === undefined ? 0 : 3 }));
  process.on("SIGTERM", () => { console.log("asked " + asked); process.exit(0); });
`;

describe("sockets that processes share", { timeout: 120_000 }, () => {
  const root = mkdtempSync(path.join(os.tmpdir(), "midflight-shared-"));
  const running = new Set<HeldProcess>();
  let holder: Holder;
  before(async () => {
    holder = await openHolder({ root, log: (name) => path.join(root, `${name}.log`) });
  });
  after(async () => {
    for (const held of running) process.kill(held.pid, "SIGKILL");
    await Promise.all([...running].map((held) => held.exited));
    holder.close();
    rmSync(root, { recursive: true, force: true });
  });

  async function launch(group: string, passing: Passing, env: Readonly<Record<string, string>> = {}): Promise<HeldProcess> {
    const held = await holder.launch({ target: `${group}-1`, group, passing, file: process.execPath, args: ["-e", program], directory: root, env: { ...process.env, ...env }, logPath: path.join(root, "app.log") });
    running.add(held);
    void held.exited.then(() => running.delete(held));
    return held;
  }

  test("a socket listens before a process is there: who connects waits, and is answered by the first", async () => {
    const port = await freePort();
    await holder.bind("early", [`127.0.0.1:${port}`]);
    const waiting = ask(port);
    const held = await launch("early", "listen-fds");
    assert.equal((await waiting)["pid"], held.pid);
  });

  test("they are passed as sd_listen_fds(3) says, with one more that is the process's own", async () => {
    const [port, second] = [await freePort(), await freePort()];
    await holder.bind("both", [`127.0.0.1:${port}`, `127.0.0.1:${second}`]);
    const held = await launch("both", "listen-fds");
    const told = await askUntil(held.door!.port);
    assert.deepEqual(told, { LISTEN_PID: String(held.pid), LISTEN_FDS: "3", LISTEN_FDNAMES: `${port}:${second}:midflight`, pid: held.pid });
    assert.equal((await ask(port))["pid"], held.pid);
  });

  test("several processes take turns on one, and each is asked on its own", async () => {
    const port = await freePort();
    await holder.bind("several", [`127.0.0.1:${port}`]);
    const held = [await launch("several", "listen-fds"), await launch("several", "listen-fds")];
    for (const { door, pid } of held) assert.equal((await askUntil(door!.port))["pid"], pid);
    assert.equal(holder.running("several"), 2);
    process.kill(held[0]!.pid, "SIGKILL");
    await held[0]!.exited;
    for (let n = 0; n < 10; n++) assert.equal((await ask(port))["pid"], held[1]!.pid, "what ends takes nothing along");
  });

  test("a program that takes its socket as descriptor 0 opens the port on which it is asked itself", async () => {
    const port = await freePort();
    await holder.bind("stdin", [`127.0.0.1:${port}`]);
    const held = await launch("stdin", "stdin");
    assert.equal((await askUntil(held.door!.port))["pid"], held.pid);
    assert.equal((await ask(port))["pid"], held.pid);
  });

  test("a port that another program has is named, and free again once it is let go", async () => {
    const other = net.createServer().listen(0, "127.0.0.1");
    await new Promise((resolve) => other.once("listening", resolve));
    const { port } = other.address() as net.AddressInfo;
    try {
      await assert.rejects(holder.bind("taken", [`127.0.0.1:${port}`]), (error: MidflightError) => error.code === "PORT_IN_USE" && /EADDRINUSE/.test(error.facts.why ?? ""));
    } finally {
      await new Promise((resolve) => other.close(resolve));
    }
    await holder.bind("taken", [`127.0.0.1:${port}`]);
    await holder.bind("taken", []);
    await assert.rejects(ask(port), /ECONNREFUSED/);
  });

  test("a program that is not there is told by its exit, not by the end of the holder", async () => {
    await holder.bind("none", [`127.0.0.1:${await freePort()}`]);
    const gone = await holder.launch({ target: "none-1", group: "none", passing: "listen-fds", file: "/no/such/program", args: [], directory: root, env: {}, logPath: path.join(root, "none.log") });
    assert.deepEqual(await gone.exited, { code: 127, signal: null });
    await assert.rejects(holder.launch({ target: "none-1", group: "none", passing: "stdin", file: "/no/such/program", args: [], directory: root, env: {}, logPath: path.join(root, "none.log") }), (error: MidflightError) => /ENOENT/.test(error.facts.why ?? ""));
    assert.equal(holder.isThere, true);
  });

  const service = { drain: "/drain", drainTimeoutMs: 20_000, stopTimeoutMs: 5000 };
  const nobody = new AbortController().signal;

  async function drained(env: Readonly<Record<string, string>>, drainTimeoutMs: number): Promise<{ readonly left: number; readonly tookMs: number; readonly exit: unknown }> {
    const group = `drain-${JSON.stringify(env)}`;
    await holder.bind(group, [`127.0.0.1:${await freePort()}`]);
    const held = await launch(group, "listen-fds", env);
    await askUntil(held.door!.port);
    const startedAt = performance.now();
    const left = await drainByContract(adopt(identify(held.pid)!, held), { ...service, drainTimeoutMs }, nobody);
    return { left, tookMs: performance.now() - startedAt, exit: await held.exited };
  }

  test("a process is asked until it is safe to stop, and only then told to", async () => {
    const { left, exit } = await drained({}, 20_000);
    assert.deepEqual([left, exit], [0, { code: 0, signal: null }]);
  });

  test("one that is never safe has its time, and what it left is told", async () => {
    const { left, tookMs } = await drained({ NEVER: "open" }, 700);
    assert.equal(left, 2);
    assert.ok(tookMs >= 690, String(tookMs));
  });

  test("one that does not answer is told to stop at once: no answer is no reason to wait, nor to believe that it is done", async () => {
    const { tookMs, exit } = await drained({ NEVER: "silent" }, 60_000);
    assert.deepEqual(exit, { code: 0, signal: null });
    assert.ok(tookMs < 30_000, String(tookMs));
  });
});

type Told = Record<string, unknown>;

async function ask(port: number): Promise<Told> {
  const answer = await new Promise<string>((resolve, reject) => {
    const socket = net.connect(port, "127.0.0.1");
    socket.once("error", reject);
    socket.end("GET / HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n");
    void text(socket).then(resolve, reject);
  });
  return JSON.parse(answer.slice(answer.indexOf("{"), answer.lastIndexOf("}") + 1)) as Told;
}

/** A port that a process is still to open refuses; one that was passed waits. */
async function askUntil(port: number): Promise<Told> {
  for (const deadline = performance.now() + 20_000; ; await new Promise((resolve) => setTimeout(resolve, 20))) {
    const told = await ask(port).catch((error: Error) => (performance.now() > deadline ? assert.fail(error) : null));
    if (told !== null) return told;
  }
}

import assert from "node:assert/strict";
import { createHash, randomBytes } from "node:crypto";
import { existsSync, mkdtempSync, readFileSync, rmSync } from "node:fs";
import http from "node:http";
import net from "node:net";
import os from "node:os";
import path from "node:path";
import { after, afterEach, before, describe, test } from "node:test";
import { fileURLToPath } from "node:url";
import type { AgentWord } from "@midflight/protocol";
import { freePort, type LoadRun, startLoad } from "@midflight/testkit";
import { openHolder, type HeldProcess, type Holder } from "../../src/holder/connect-holder.ts";
import { insertRouter, resumeRouter, type KeptRouter, type RouterOptions } from "../../src/router/keep-router.ts";
import { readRouteState } from "../../src/router/route-state.ts";

const fixture = (name: string): string => fileURLToPath(new URL(`../fixtures/${name}`, import.meta.url));

interface Answer {
  readonly status: number;
  readonly raw: readonly string[];
  readonly trailers: NodeJS.Dict<string>;
  readonly body: Buffer;
}

describe("a router between two sides", { timeout: 180_000 }, () => {
  const root = mkdtempSync(path.join(os.tmpdir(), "midflight-router-"));
  const running = new Set<HeldProcess>();
  let holder: Holder;
  let port = 0;
  let blue: HeldProcess;
  let green: HeldProcess;
  let router: KeptRouter;
  let options: RouterOptions;
  let load: LoadRun | null = null;

  before(async () => {
    holder = await openHolder({ root, log: (name) => path.join(root, `${name}.log`) });
    port = await freePort();
    options = { holder, target: "web-1", root, logPath: path.join(root, "router.log"), environment: { ...process.env, PORT: String(port) }, drainTimeoutMs: 20_000 };
    blue = await launch("blue");
    blue.say({ kind: "accept" });
  });
  after(async () => {
    for (const held of running) held.say({ kind: "accept" });
    const rest = [...running, holder.find(readRouteState(path.join(root, "router/web-1.json"))?.pid ?? 0)].filter((held) => held !== null);
    for (const { pid } of rest) process.kill(pid, "SIGKILL");
    await Promise.all(rest.map((held) => held.exited));
    holder.close();
    assert.equal(readFileSync(path.join(root, "router.log"), "utf8"), "", "nothing went wrong in the router");
    assert.equal(readFileSync(path.join(root, "app.log"), "utf8"), "", "nothing went wrong in the app");
    rmSync(root, { recursive: true, force: true });
  });

  afterEach(async () => {
    await load?.stop();
    load = null;
  });

  async function launch(side: string): Promise<HeldProcess> {
    const held = await holder.launch({
      target: "web-1", file: process.execPath, directory: root, logPath: path.join(root, "app.log"), group: "web", passing: "line",
      args: ["--conditions=@midflight/source", "--disable-warning=ExperimentalWarning", "--import", fixture("install-drain.mjs"), fixture("sided.mjs")],
      env: { ...process.env, SIDE: side, PORT: String(port) },
    });
    running.add(held);
    void held.exited.then(() => running.delete(held));
    while (held.listening.size < 1) await held.hear((word): word is AgentWord => word.kind === "listening");
    return held;
  }

  /** Every request has an id, with which each side counts what it has done. */
  function startCustomers(): LoadRun {
    load = startLoad({
      target: new URL(`http://127.0.0.1:${port}`), ratePerSecond: 150, connections: "mixed", timeoutMs: 15_000, maxLatenessMs: 10_000,
      plan: (i) => (i % 20 === 0 ? { path: `/?id=${i}`, method: "POST", body: { n: i } } : i % 7 === 0 ? { path: "/slow?ms=100" } : { path: `/?id=${i}` }),
      validate: (response, _, spec) => (spec.path.startsWith("/slow") || typeof (response.json() as { side?: unknown }).side === "string" ? null : "no side"),
    });
    return load;
  }

  async function assertAllWell(customers: LoadRun): Promise<void> {
    const report = await customers.stop();
    assert.deepEqual([report.failed, report.firstFailures, report.voidBecause], [0, [], null]);
    assert.ok(report.completed > 50);
  }

  async function sidesOf(count: number, headers: http.OutgoingHttpHeaders = {}): Promise<Record<string, number>> {
    const found: Record<string, number> = {};
    for (let n = 0; n < count; n++) {
      const { side } = JSON.parse((await ask("/", { headers })).body.toString()) as { side: string };
      found[side] = (found[side] ?? 0) + 1;
    }
    return found;
  }

  test("it is put in and taken out under load: no request fails, none is done twice, and the process is the same", async () => {
    const customers = startCustomers();
    const inserted = await insertRouter(options, blue, "d0");
    assert.equal(inserted.kind, "inserted");
    router = (inserted as { router: KeptRouter }).router;
    assert.deepEqual(await sidesOf(20), { blue: 20 });
    assert.ok((await router.count()).begun.blue >= 20, "the router answers, not the process itself");
    await router.remove(blue);
    assert.deepEqual(await sidesOf(20), { blue: 20 });
    assert.equal(existsSync(path.join(root, "router/web-1.json")), false);
    await assertAllWell(customers);
    const counts = Object.values(JSON.parse((await ask("/count")).body.toString()) as Record<string, number>);
    assert.ok(counts.length > 30 && counts.every((n) => n === 1), "each request was done once");
    const again = await insertRouter(options, blue, "d1");
    router = (again as { router: KeptRouter }).router;
  });

  test("shares, pins, and a switch under load that waits until nothing is under way", async () => {
    const customers = startCustomers();
    green = await launch("green");
    await router.add("green", green);
    assert.deepEqual(await sidesOf(20), { blue: 20 }, "what is added gets nothing before the shares say so");
    await router.route({ greenShare: 0.5 });
    const half = await sidesOf(200);
    assert.ok(half["blue"]! > 50 && half["green"]! > 50, JSON.stringify(half));
    await router.route({ isSticky: true });
    const first = await ask("/");
    const pinned = (JSON.parse(first.body.toString()) as { side: string }).side;
    const cookie = first.raw[first.raw.findIndex((name) => name.toLowerCase() === "set-cookie") + 1]!.split(";")[0]!;
    assert.deepEqual(await sidesOf(30, { cookie }), { [pinned]: 30 });
    const forged = cookie.replace(pinned, pinned === "blue" ? "green" : "blue");
    assert.equal(Object.keys(await sidesOf(60, { cookie: forged })).length, 2, "a pin that was changed is none");
    assert.equal((await ask("/", { headers: { cookie } })).raw.some((name) => name.toLowerCase() === "set-cookie"), false);
    const seen = JSON.parse((await ask("/seen", { headers: { cookie: `x=1; ${cookie}; y=2` } })).body.toString()) as { raw: string[] };
    assert.equal(seen.raw[seen.raw.findIndex((name) => name.toLowerCase() === "cookie") + 1], "x=1; y=2", "the app does not see the pin");

    await router.route({ greenShare: 0, isSticky: false });
    const slow = ask("/slow?ms=700&id=slow");
    while (!(await ask("/count")).body.includes("slow"));
    await router.route({ greenShare: 1 });
    assert.deepEqual(await sidesOf(20), { green: 20 });
    await router.settle("blue");
    assert.equal((await slow).body.toString(), "blue", "what was under way ended where it began, before the side was settled");
    await router.route({ greenShare: 0 });
    assert.deepEqual(await sidesOf(20), { blue: 20 }, "and back");
    await assertAllWell(customers);
  });

  test("what is sent on is what was sent: fields, body, trailers, hints, and nothing of this hop", async () => {
    const answer = await ask("/seen?a=%20b&c", { method: "GET", headers: { "X-Custom": ["one", "two"], connection: "x-hop", "x-hop": "1", te: "trailers", "x-forwarded-for": "10.0.0.1", accept: "*/*" } });
    const seen = JSON.parse(answer.body.toString()) as { url: string; raw: string[] };
    assert.equal(seen.url, "/seen?a=%20b&c");
    const fields = pairsOf(seen.raw);
    assert.deepEqual(fields.filter(([name]) => name === "X-Custom").map(([, value]) => value), ["one", "two"]);
    assert.deepEqual(fields.filter(([name]) => ["x-hop", "te"].includes(name.toLowerCase())), []);
    assert.deepEqual(fields.filter(([name]) => name.toLowerCase() === "x-forwarded-for").map(([, value]) => value), ["10.0.0.1, 127.0.0.1"]);
    const back = pairsOf(answer.raw);
    assert.deepEqual(back.filter(([name]) => name.toLowerCase() === "set-cookie").map(([, value]) => value), ["a=1", "b=2"]);
    assert.deepEqual(back.filter(([name]) => name === "X-Twice").map(([, value]) => value), ["one", "two"]);

    const bytes = randomBytes(3 << 20);
    const echoed = await ask("/echo", { method: "POST", headers: { te: "trailers" } }, bytes);
    assert.ok(echoed.body.equals(bytes));
    assert.equal(echoed.trailers["x-digest"], createHash("sha256").update(bytes).digest("hex"));
    assert.deepEqual((await ask("/seen", { method: "HEAD" })).body.length, 0);
    assert.equal((await ask("/", { method: "POST", headers: { expect: "100-continue" } }, Buffer.from("late"))).body.toString(), '{"side":"blue","says":"late"}');
    const hint = await new Promise<unknown>((resolve) => http.get({ port, path: "/hints", agent: false }, (response) => response.resume()).once("information", ({ statusCode, headers }) => resolve([statusCode, headers["link"]])));
    assert.deepEqual(hint, [103, "</a.css>; rel=preload"]);
  });

  test("a process that fails: 502 if nothing was said, a cut connection if half was, and never twice what has effects", async () => {
    const none = await ask("/none", { method: "POST" }, Buffer.from("x"));
    assert.equal(none.status, 502);
    await assert.rejects(ask("/half"), /aborted|ECONNRESET|socket hang up/);
    assert.equal((await ask("/none")).status, 502, "a safe one is asked once more, and then it is told");
  });

  test("a client that goes away is gone for the process, too", async () => {
    const gone = http.get({ port, path: "/gone", agent: false });
    await new Promise<void>((resolve) => gone.once("response", (response) => response.once("data", () => resolve())));
    gone.destroy();
    let seen = 0;
    for (const deadline = performance.now() + 10_000; seen === 0 && performance.now() < deadline; ) seen = (JSON.parse((await ask("/count")).body.toString()) as { gone?: number }).gone ?? 0;
    assert.equal(seen, 1);
  });

  test("what is ambiguous is refused and reaches nobody", async () => {
    const before = await ask("/count");
    for (const head of [
      "POST /?id=smuggled HTTP/1.1\r\nHost: x\r\nContent-Length: 4\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
      "POST /?id=smuggled HTTP/1.1\r\nHost: x\r\nContent-Length: 4\r\nContent-Length: 5\r\n\r\nabcde",
      "GET /?id=smuggled HTTP/1.1\r\n\r\n",
      "GET /?id=smuggled HTTP/1.1\r\nHost: x\r\nX: a\nGET /?id=smuggled HTTP/1.1\r\n\r\n",
      `GET /?id=smuggled HTTP/1.1\r\nHost: x\r\nX: ${"a".repeat(40_000)}\r\n\r\n`,
      "OPTIONS * HTTP/1.1\r\nHost: x\r\n\r\n",
    ]) assert.match(await raw(head), /^HTTP\/1\.1 4\d\d /, head.slice(0, 60));
    assert.deepEqual(JSON.parse((await ask("/count")).body.toString()), JSON.parse(before.body.toString()));
    assert.match(await raw("GET http://elsewhere/seen?x HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n"), /"url":"\/seen\?x"/, "a target in absolute form is a path here");
  });

  test("a changed protocol goes through, both ways, and a refusal of it too", async () => {
    const { socket, heard } = await upgrade("/");
    socket.write("hello");
    await heard(/blue hello/);
    assert.equal((await router.count()).endless.blue, 1);
    socket.destroy();
    assert.match(await raw("GET /no HTTP/1.1\r\nHost: x\r\nConnection: upgrade\r\nUpgrade: echo\r\n\r\n"), /^HTTP\/1\.1 403 [^]*\r\n\r\nno$/);
  });

  test("an event stream holds no side up", async () => {
    const stream = http.get({ port, path: "/events", agent: false });
    await new Promise<void>((resolve) => stream.once("response", (response) => response.once("data", () => resolve())));
    await router.settle("blue");
    assert.equal((await router.count()).endless.blue, 1);
    stream.destroy();
  });

  test("SIGKILL of the router: it comes again with the same sockets and table, and clients wait meanwhile", async () => {
    await router.route({ greenShare: 1 });
    const { pid } = readRouteState(path.join(root, "router/web-1.json"))!;
    process.kill(pid!, "SIGKILL");
    await holder.find(pid!)?.exited;
    assert.deepEqual(await sidesOf(20), { green: 20 });
    assert.notEqual(readRouteState(path.join(root, "router/web-1.json"))!.pid, pid);
  });

  test("a supervisor that comes after a crash goes on with it, and takes it out: the next side serves alone", async () => {
    const customers = startCustomers();
    // The one before is gone in a real crash; here its line to the router stays open.
    const resumed = await resumeRouter({ ...options, drainTimeoutMs: 2000 });
    assert.notEqual(resumed, null);
    await resumed!.remove(green);
    assert.deepEqual(await sidesOf(20), { green: 20 });
    assert.equal(await resumeRouter(options), null);
    await assertAllWell(customers);
  });

  test("a server that ends TLS itself, or a process without sockets, is refused and goes on as it is", async () => {
    const refused = await insertRouter({ ...options, target: "web-2" }, green, "d2");
    assert.match(refused.kind === "refused" ? refused.reason : "", /nobody holds a socket/);
    assert.deepEqual(await sidesOf(5), { green: 5 });
  });

  function ask(at: string, request: http.RequestOptions = {}, body?: Buffer): Promise<Answer> {
    return new Promise((resolve, reject) => {
      const asked = http.request({ port, path: at, agent: false, ...request }, (response) => {
        const parts: Buffer[] = [];
        response.on("data", (part: Buffer) => parts.push(part)).once("error", reject);
        response.once("end", () => resolve({ status: response.statusCode!, raw: response.rawHeaders, trailers: response.trailers, body: Buffer.concat(parts) }));
      });
      asked.once("error", reject);
      if (request.headers !== undefined && "expect" in request.headers) asked.once("continue", () => asked.end(body));
      else asked.end(body);
    });
  }

  async function raw(text: string): Promise<string> {
    const socket = net.connect(port, "127.0.0.1");
    socket.setEncoding("latin1").on("error", () => undefined);
    socket.write(text);
    let answer = "";
    socket.on("data", (part: string) => (answer += part));
    await new Promise((resolve) => socket.once("close", resolve));
    return answer;
  }

  async function upgrade(at: string): Promise<{ socket: net.Socket; heard: (what: RegExp) => Promise<void> }> {
    const socket = net.connect(port, "127.0.0.1");
    let all = "";
    socket.setEncoding("latin1").on("data", (part: string) => (all += part));
    const heard = async (what: RegExp): Promise<void> => {
      while (!what.test(all)) await new Promise((resolve) => socket.once("data", resolve));
    };
    socket.write(`GET ${at} HTTP/1.1\r\nHost: x\r\nConnection: upgrade\r\nUpgrade: echo\r\n\r\n`);
    await heard(/^HTTP\/1\.1 101 /);
    return { socket, heard };
  }
});

function pairsOf(raw: readonly string[]): [string, string][] {
  return raw.flatMap((name, i) => (i % 2 === 0 ? [[name, raw[i + 1]!] as [string, string]] : []));
}

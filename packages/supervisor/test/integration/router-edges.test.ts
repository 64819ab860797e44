import assert from "node:assert/strict";
import { randomBytes } from "node:crypto";
import { once } from "node:events";
import { mkdtempSync, rmSync } from "node:fs";
import http, { type RequestListener, type Server } from "node:http";
import net, { type AddressInfo, type Socket } from "node:net";
import os from "node:os";
import path from "node:path";
import { afterEach, describe, test } from "node:test";
import { Router } from "../../src/router/router.ts";

describe("a router, and what clients and processes rarely say", { timeout: 60_000 }, () => {
  const root = mkdtempSync(path.join(os.tmpdir(), "midflight-edges-"));
  const open: (Server | net.Server)[] = [];
  const sockets = new Set<Socket>();
  let made = 0;

  afterEach(() => {
    for (const server of open.splice(0)) server.close();
    for (const socket of sockets) socket.destroy();
    sockets.clear();
  });

  process.once("exit", () => rmSync(root, { recursive: true, force: true }));

  /** A router before one process; answers its port. */
  async function routed(process: Server | net.Server, hasOlderNode = false): Promise<number> {
    const at = path.join(root, `p${++made}`);
    process.listen(at);
    await once(process, "listening");
    const router = new Router({ deployment: "d", key: "00", greenShare: 0, isSticky: false, blue: [{ ":0": at }], green: [] });
    const server = router.serve(":0").listen(0, "127.0.0.1");
    // What a Node does that does not know how an offer is refused.
    if (hasOlderNode) Object.assign(server, { shouldUpgradeCallback: () => true });
    await once(server, "listening");
    open.push(process, server);
    for (const one of [process, server]) one.on("connection", (socket: Socket) => void sockets.add(socket));
    return (server.address() as AddressInfo).port;
  }

  const app = (listener: RequestListener): Server => http.createServer(listener);
  /** Says this for every connection, whatever it is asked. */
  const sayer = (text: string): net.Server =>
    net.createServer((socket) => void socket.on("error", () => undefined).once("data", () => socket.end(text, "latin1")));

  /** All that comes back until the other side ends. */
  async function raw(port: number, ...parts: readonly (string | Buffer)[]): Promise<string> {
    const socket = net.connect(port, "127.0.0.1");
    let answer = "";
    socket.setEncoding("latin1").on("error", (error) => (answer += `<${(error as NodeJS.ErrnoException).code}>`)).on("data", (part: string) => (answer += part));
    for (const part of parts) socket.write(part);
    const timer = setTimeout(() => socket.destroy(Object.assign(new Error("nothing more came"), { code: "SILENCE" })), 10_000);
    await new Promise<void>((resolve) => socket.once("close", () => resolve()));
    clearTimeout(timer);
    return answer;
  }

  test("a request with a body that offers another protocol is answered as one that offers none", async () => {
    const port = await routed(app((request, response) => void textOf(request).then((text) => response.end(`got ${text}`))));
    const answer = await raw(port, "POST / HTTP/1.1\r\nHost: x\r\nConnection: Upgrade, HTTP2-Settings, close\r\nUpgrade: h2c\r\nHTTP2-Settings: AAMAAABkAARAAAAAAAIAAAAA\r\nContent-Length: 5\r\n\r\nhel", "lo");
    assert.match(answer, /^HTTP\/1\.1 200 [^]*got hello/);
    const chunked = await raw(port, "POST / HTTP/1.1\r\nHost: x\r\nConnection: Upgrade, HTTP2-Settings, close\r\nUpgrade: h2c\r\nHTTP2-Settings: AAMAAABkAARAAAAAAAIAAAAA\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n0\r\n\r\n");
    assert.match(chunked, /^HTTP\/1\.1 200 [^]*got hello/);
  });

  test("a connection on which HTTP/2 was offered serves the next request, too", async () => {
    const port = await routed(app((request, response) => response.end(`at ${request.url}`)));
    const agent = new http.Agent({ keepAlive: true, maxSockets: 1 });
    const ports = new Set<number | undefined>();
    for (const headers of [{ connection: "Upgrade, HTTP2-Settings", upgrade: "h2c", "http2-settings": "AAMAAABk" }, {}]) {
      const [response] = (await once(http.get({ port, path: "/1", headers, agent }), "response")) as [http.IncomingMessage];
      ports.add(response.socket.localPort);
      assert.equal(await textOf(response), "at /1");
    }
    agent.destroy();
    assert.equal(ports.size, 1);
  });

  test("a Node that cannot refuse an offer: HTTP/2 is not offered to the process, and a body is refused instead of waited for", async () => {
    const port = await routed(app((request, response) => response.end(JSON.stringify(request.headers))), true);
    const h2c = "HTTP/1.1\r\nHost: x\r\nConnection: Upgrade, HTTP2-Settings\r\nUpgrade: h2c\r\nHTTP2-Settings: AAMAAABk\r\n";
    const answer = await raw(port, `GET / ${h2c}\r\n`);
    assert.match(answer, /^HTTP\/1\.1 200 [^]*"host":"x"/);
    assert.doesNotMatch(answer, /h2c/);
    assert.match(await raw(port, `POST / ${h2c}Content-Length: 2\r\n\r\nab`), /^HTTP\/1\.1 501 /);
  });

  test("a process that fails while the protocol is to be changed: 502 if nothing was said, a cut connection if half was", async () => {
    const silent = await routed(net.createServer((socket) => void socket.once("data", () => socket.destroy())));
    const asking = "GET / HTTP/1.1\r\nHost: x\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n";
    assert.match(await raw(silent, asking), /^HTTP\/1\.1 502 /);
    const half = await routed(sayer("HTTP/1.1 200 OK\r\ncontent-length: 100\r\n\r\nhalf"));
    assert.match(await raw(half, asking), /^HTTP\/1\.1 200 [^]*half(<ECONNRESET>)?$/);
    const bytes = await routed(sayer("HTTP/1.1 403 Gr\u00fc\u00dfe\r\nx-name: Gr\u00fc\u00dfe\r\ncontent-length: 2\r\n\r\nno"));
    assert.match(await raw(bytes, asking), /^HTTP\/1\.1 403 Gr\u00fc\u00dfe[^]*x-name: Gr\u00fc\u00dfe[^]*no$/, "fields are bytes");
  });

  test("an answer that comes before the body was sent reaches the client whole", async () => {
    const large = randomBytes(2 << 20).toString("hex");
    const port = await routed(app((_request, response) => {
      response.writeHead(413, { "content-length": large.length }).end(large);
    }));
    const asked = http.request({ port, method: "POST", headers: { "content-length": 64 << 20 }, agent: false });
    asked.on("error", () => undefined);
    asked.write(Buffer.alloc(4 << 20));
    const [response] = (await once(asked, "response")) as [http.IncomingMessage];
    const text = await textOf(response);
    asked.destroy();
    assert.deepEqual([response.statusCode, text === large], [413, true]);
  });

  for (const [what, head] of [
    ["a reason in UTF-8", "HTTP/1.1 200 Gr\u00c3\u00b6\u00c3\u009fe \u00e4\u00b8\u00ad"],
    ["a hint in UTF-8", "HTTP/1.1 103 Early Hints\r\nlink: </\u00e4\u00b8\u00ad.css>; rel=preload\r\n\r\nHTTP/1.1 200 OK"],
    ["a hint that is no link", "HTTP/1.1 103 Early Hints\r\nlink: whatever\r\n\r\nHTTP/1.1 200 OK"],
    ["other information", "HTTP/1.1 102 Processing\r\n\r\nHTTP/1.1 200 OK"],
    ["a field in UTF-8", "HTTP/1.1 200 OK\r\nx-name: Gr\u00c3\u00b6\u00c3\u009fe"],
    ["fields framed by the hop", "HTTP/1.1 200 OK\r\nconnection: x-secret, content-length\r\nx-secret: 1"],
  ] as const) {
    test(`an answer with ${what} comes through`, async () => {
      const port = await routed(sayer(`${head}\r\ncontent-length: 2\r\n\r\nok`));
      const answer = await raw(port, "GET / HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n");
      assert.match(answer, /HTTP\/1\.1 200 [^]*\r\n\r\n(2\r\n)?ok/);
      assert.doesNotMatch(answer, /x-secret/);
    });
  }

  test("what a process says after its answer is no answer to the next", async () => {
    const port = await routed(net.createServer((socket) => void socket.on("error", () => undefined).on("data", () => socket.write("HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nokHTTP/1.1 200 OK\r\ncontent-length: 4\r\n\r\nevil"))));
    const answer = await raw(port, "GET /1 HTTP/1.1\r\nHost: x\r\n\r\nGET /2 HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n");
    assert.doesNotMatch(answer, /evil/);
  });

  test("an answer of HTTP/1.0 that ends with its connection is whole", async () => {
    const port = await routed(sayer("HTTP/1.0 200 OK\r\n\r\nto the end"));
    assert.match(await raw(port, "GET / HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n"), /to the end/);
    assert.match(await raw(port, "GET / HTTP/1.0\r\n\r\n"), /to the end/);
  });
  test("an answer without content may say how long it would be", async () => {
    for (const [status, method] of [[304, "GET"], [200, "HEAD"]] as const) {
      const port = await routed(app((_request, response) => response.writeHead(status, { "content-length": "99", etag: "x" }).end()));
      assert.match(await raw(port, `${method} / HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n`), new RegExp(`^HTTP/1\\.1 ${status} [^]*content-length: 99`));
    }
  });

  test("two hosts are none, and a body that is coded for this hop alone is not passed on as if it were not", async () => {
    let reached = 0;
    const port = await routed(app((_request, response) => response.end(String(++reached))));
    const offer = "Connection: Upgrade\r\nUpgrade: websocket\r\n";
    for (const rest of ["Connection: close\r\n", offer]) assert.match(await raw(port, `GET / HTTP/1.1\r\nHost: a\r\nHost: b\r\n${rest}\r\n`), /^HTTP\/1\.1 400 /);
    assert.match(await raw(port, "POST / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: gzip, chunked\r\nConnection: close\r\n\r\n0\r\n\r\n"), /^HTTP\/1\.1 501 /);
    assert.equal(reached, 0);
  });

  test("rare methods and targets arrive as they were sent", async () => {
    const port = await routed(app(({ method, url }, response) => response.end(`${method} ${url}`)));
    for (const line of ["PROPFIND /", "QUERY /", "M-SEARCH /", "TRACE /", "GET /[x]|^{}", "GET //a//b", "GET /a?b?c", "GET /%zz", "GET /a#b"]) {
      const answer = await raw(port, `${line} HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n`);
      assert.ok(answer.startsWith("HTTP/1.1 200 ") && answer.includes(`\r\n${line}`), `${line}: ${answer}`);
    }
  });
});

async function textOf(message: http.IncomingMessage): Promise<string> {
  let text = "";
  for await (const part of message) text += String(part);
  return text;
}

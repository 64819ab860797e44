import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import http from "node:http";
import http2 from "node:http2";
import https from "node:https";
import { once } from "node:events";
import { after, before, describe, test } from "node:test";
import { latencyBucketStart, type ReleaseCounts } from "@midflight/protocol";
import { guardAgainstLeaks } from "@midflight/testkit";
import { ServedApp, shop, type AppRelease } from "../support/served-app.ts";

/** For tests only: it is trusted by nobody. */
const localhost = readFileSync(new URL("../support/localhost.pem", import.meta.url), "utf8");

const server = `import http from "node:http";
import https from "node:https";
import http2 from "node:http2";
import { price } from "./price.js";
const pem = ${JSON.stringify(localhost)};
const answer = (request, response) => {
  switch (request.url) {
    case "/ok": return response.end(String(price()));
    case "/error": response.statusCode = 503; return response.end();
    case "/slow": return void setTimeout(() => response.end("slow"), 300);
    case "/cut": response.write("some"); return void setTimeout(() => (response.stream ?? response).destroy(), 20);
    case "/thrown": return void setTimeout(() => (response.stream ?? response).destroy(new Error("of the app")), 20);
    case "/hang": return void response.on("error", () => undefined).writeHead(200).write("begun");
    case "/events": return void response.writeHead(200, { "content-type": "text/event-stream" }).write("data: 1\\n\\n");
  }
};
const servers = [http.createServer(answer), https.createServer({ key: pem, cert: pem }, answer), http2.createServer(answer)];
servers[2].on("stream", (stream) => stream.on("error", () => undefined));
let listening = 0;
for (const server of servers) server.listen(0, "127.0.0.1", () => ++listening === 3 && console.log("ports " + servers.map((one) => one.address().port).join(" ")));
`;

/** Asks and waits for the end, whatever it is. */
async function ask(port: number, url: string, isTls: boolean): Promise<void> {
  const request = (isTls ? https : http).get({ port, host: "127.0.0.1", path: url, agent: false, rejectUnauthorized: false });
  request.on("error", () => undefined).on("response", (response) => response.on("error", () => undefined).resume());
  await new Promise((resolve) => request.on("close", resolve));
}

/** Asks, and goes once the answer has begun. */
async function leave(port: number, url: string, isTls: boolean): Promise<void> {
  const request = (isTls ? https : http).get({ port, host: "127.0.0.1", path: url, agent: false, rejectUnauthorized: false });
  request.on("error", () => undefined);
  const [response] = (await once(request, "response")) as [http.IncomingMessage];
  response.on("error", () => undefined);
  await once(response, "data");
  request.destroy();
}

async function ask2(session: http2.ClientHttp2Session, url: string, isLeft = false): Promise<void> {
  const stream = session.request({ ":path": url });
  stream.on("error", () => undefined);
  if (isLeft) stream.once("data", () => stream.close(http2.constants.NGHTTP2_CANCEL));
  else stream.resume();
  await new Promise((resolve) => stream.on("close", resolve));
}

describe("the requests of a real process", () => {
  let app: ServedApp;
  let boot: AppRelease;
  let next: AppRelease;
  before(async () => {
    app = await ServedApp.open();
    const [one, two] = [shop(1), shop(2)];
    boot = app.release({ "price.js": one["price.js"], "app.js": server });
    next = app.release({ "price.js": two["price.js"], "app.js": server });
  });
  after(() => app.close());
  guardAgainstLeaks();

  for (const node of [20, 22, 24, 26]) {
    test(`are counted per release with their ends and latencies, by node:http, https and http2 of Node ${node}`, async () => {
      await app.deploy(boot, boot);
      const running = await app.start(boot, { node });
      const [, ...ports] = (await running.waitForLine(/^ports (\d+) (\d+) (\d+)$/)).map(Number);
      const session = http2.connect(`http://127.0.0.1:${ports[2]}`);
      for (const [port, isTls] of [[ports[0]!, false], [ports[1]!, true]] as const) {
        for (const url of ["/ok", "/ok", "/slow", "/error", "/cut", "/thrown"]) await ask(port, url, isTls);
        await leave(port, "/hang", isTls);
        await leave(port, "/events", isTls);
      }
      for (const url of ["/ok", "/ok", "/slow", "/error", "/cut", "/thrown"]) await ask2(session, url);
      await ask2(session, "/hang", true);
      await ask2(session, "/events", true);
      const hanging = session.request({ ":path": "/hang" });
      await once(hanging, "response");

      const mine = (counts: readonly ReleaseCounts[] | undefined, { published }: AppRelease): ReleaseCounts | undefined => counts?.find(({ release }) => release === published.id);
      const first = await app.beat(({ pid, measured }) => pid === running.pid && mine(measured?.releases, boot)?.requests === 21 && mine(measured?.releases, boot)?.open === 1 && mine(measured?.releases, boot)?.waiting !== undefined);
      const { requests, errors, left, open, latency, waiting } = mine(first.measured!.releases, boot)!;
      // The one that hangs is told of before it ends.
      assert.ok(waiting!.length === 2 && waiting![1] === 1 && latencyBucketStart(waiting![0]! + 1) > 1000, JSON.stringify(waiting));
      assert.deepEqual({ requests, errors, left, open }, { requests: 21, errors: 9, left: 3, open: 1 });
      assert.equal(latency.filter((_, i) => i % 2 === 1).reduce((sum, n) => sum + n, 0), 21);
      const slow = latency.reduce((sum, bucket, i) => (i % 2 === 0 && latencyBucketStart(bucket + 1) > 300 ? sum + latency[i + 1]! : sum), 0);
      assert.ok(slow >= 3, String(slow));
      assert.deepEqual([first.measured!.recent.requests, first.measured!.recent.errors], [21, 9]);

      await app.deploy(boot, next);
      await app.beat(({ pid, live }) => pid === running.pid && live === next.published.id);
      await ask(ports[0]!, "/ok", false);
      hanging.close(http2.constants.NGHTTP2_CANCEL);
      const second = await app.beat(({ pid, measured }) => pid === running.pid && mine(measured?.releases, next)?.requests === 1 && mine(measured?.releases, boot)?.requests === 22);
      assert.deepEqual(mine(second.measured!.releases, next)!.errors, 0);
      // It began on the release before.
      assert.deepEqual(mine(second.measured!.releases, boot)!.open, 0);
      session.destroy();
      assert.deepEqual(running.stderr.lines, []);
      await running.kill();
    });
  }
});

import assert from "node:assert/strict";
import { type ServerResponse, createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { after, before, describe, test } from "node:test";
import { openEventStream } from "../../src/index.ts";

describe("event stream", () => {
  let latest: ServerResponse;
  const server = createServer((request, response) => {
    latest = response;
    if (request.url === "/page") response.end("hello");
    else if (request.url === "/stream") {
      response.writeHead(200, { "content-type": "text/event-stream" });
      response.flushHeaders();
    }
  });
  const url = (path: string): URL => new URL(path, `http://127.0.0.1:${(server.address() as AddressInfo).port}`);
  const say = (...ids: (number | string)[]): void => ids.forEach((id) => latest.write(`id: ${id}\ndata: x\n\n`));

  before(() => new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve)));
  after(() => {
    server.closeAllConnections();
    server.close();
  });

  test("reports a stream that stayed open with rising ids as sound", async () => {
    const stream = await openEventStream(url("/stream"));
    const third = stream.waitForEvent((event) => event.id === "3");
    say(1, 2, 3);
    await third;
    const report = await stream.close();
    assert.deepEqual({ ...report, maxGapMs: 0 }, { events: 3, firstId: 1, lastId: 3, outOfOrder: 0, skipped: 0, maxGapMs: 0, brokenBecause: null });
  });

  test("notices ids that repeat, fall, are left out, or are none", async () => {
    const stream = await openEventStream(url("/stream"));
    const last = stream.waitForEvent((event) => event.id === "9");
    say(1, 1, 5, 4, "soup", 9);
    await last;
    const { outOfOrder, skipped, firstId, lastId } = await stream.close();
    assert.deepEqual([outOfOrder, skipped, firstId, lastId], [3, 6, 1, 9]);
  });

  test("notices that the server ended it, or that the connection broke", async () => {
    const ending = await openEventStream(url("/stream"));
    latest.end();
    assert.equal((await ending.ended).brokenBecause, "the server ended it");

    const breaking = await openEventStream(url("/stream"));
    const never = assert.rejects(breaking.waitForEvent(), /no such event/);
    latest.destroy();
    assert.match((await breaking.ended).brokenBecause ?? "", /ECONNRESET|lost/);
    await never;
    await assert.rejects(breaking.waitForEvent(), /has ended/);
  });

  test("gives up on an event that does not come, and on an answer that does not", async () => {
    const stream = await openEventStream(url("/stream"));
    await assert.rejects(stream.waitForEvent(() => true, 20), /none within 20 ms/);
    await stream.close();
    await assert.rejects(openEventStream(url("/silence"), { openWithinMs: 50 }), /did not answer within 50 ms/);
    await assert.rejects(openEventStream(url("/page")), /answered 200 with type none, not an event stream/);
  });
});

import assert from "node:assert/strict";
import { EventEmitter, once } from "node:events";
import { type RequestListener, type Server, createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { describe, test } from "node:test";
import { IdLedger, type LoadReport, describeLoad, runLoad, startLoad } from "../../src/index.ts";

interface Served {
  readonly target: URL;
  readonly server: Server;
  readonly connections: () => number;
}

async function withServer<T>(listener: RequestListener, use: (served: Served) => Promise<T>): Promise<T> {
  const server = createServer(listener);
  let connections = 0;
  server.on("connection", () => (connections += 1));
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const target = new URL(`http://127.0.0.1:${(server.address() as AddressInfo).port}`);
  try {
    return await use({ target, server, connections: () => connections });
  } finally {
    server.closeAllConnections();
    await new Promise((resolve) => server.close(resolve));
  }
}

/** Numbers the requests a server has seen, from 1. */
function counting(listener: (count: number, ...parameters: Parameters<RequestListener>) => void): RequestListener {
  let count = 0;
  return (request, response) => listener((count += 1), request, response);
}

const get = (): { path: string } => ({ path: "/" });
const mustBeOk = (response: { text(): string }): string | null => (response.text() === "ok" ? null : `body is ${response.text()}`);
function blocked<T>(ms: number, value: T): T {
  for (const end = performance.now() + ms; performance.now() < end; );
  return value;
}

const failuresOf = (report: LoadReport): Record<string, number> => Object.fromEntries(Object.entries(report.failures).filter(([, count]) => count > 0));

async function connectionsOpened(connections: "keep-alive" | "fresh" | "mixed"): Promise<number> {
  return await withServer(
    (_request, response) => response.end("ok"),
    async (served) => {
      const report = await runLoad({ target: served.target, ratePerSecond: 200, requests: 50, plan: get, connections });
      assert.equal(report.failed, 0);
      return served.connections();
    },
  );
}

describe("load", () => {
  test("reports 0 failed of all that a sound server answered, and how sure that makes us", async () => {
    const report = await withServer(
      (_request, response) => response.end("ok"),
      ({ target }) => runLoad({ target, ratePerSecond: 500, requests: 300, plan: get, validate: mustBeOk }),
    );
    assert.deepEqual([report.sent, report.completed, report.failed, report.latency.count], [300, 300, 0, 300]);
    assert.equal(report.failureRateBelow, 0.01);
    assert.equal(describeLoad({ ...report, voidBecause: null }), "0 failed of 300 (below 1.0 % with 95 % confidence)");
  });

  test("reports each of the failures when a server fails 1 of 100, by kind", async () => {
    const report = await withServer(
      counting((count, _request, response) => {
        if (count % 100 === 0) response.statusCode = 503;
        response.end("ok");
      }),
      ({ target }) => runLoad({ target, ratePerSecond: 1000, requests: 400, plan: get }),
    );
    assert.deepEqual([report.completed, report.failed, failuresOf(report)], [400, 4, { status: 4 }]);
    assert.equal(report.failureRateBelow, null);
    assert.equal(report.firstFailures.length, 4);
    assert.match(report.firstFailures[0]?.message ?? "", /^status 503/);
    assert.match(describeLoad(report), /^4 failed of 400: 4 status/);
  });

  test("tells a wrong body, a lost connection, a short answer and no answer apart, and never asks twice", async () => {
    let seen = 0;
    const report = await withServer(
      (request, response) => {
        seen += 1;
        if (request.url === "/wrong") response.end("wrong");
        else if (request.url === "/lost") request.socket.destroy();
        else if (request.url === "/short") {
          response.writeHead(200, { "content-length": "100" });
          response.write("only this", () => request.socket.destroy());
        } else if (request.url === "/garbage") request.socket.end("this is not HTTP\r\n\r\n");
        else if (request.url !== "/never") response.end("ok");
      },
      ({ target }) => {
        const paths = ["/", "/wrong", "/lost", "/short", "/never", "/garbage"];
        return runLoad({ target, ratePerSecond: 100, requests: 6, timeoutMs: 1000, plan: (i) => ({ path: paths[i] ?? "/" }), validate: mustBeOk });
      },
    );
    assert.deepEqual(failuresOf(report), { body: 1, reset: 2, timeout: 1, protocol: 1 });
    assert.equal(seen, 6);
  });

  test("counts a refused connection as such", async () => {
    const target = await withServer(() => {}, async (served) => served.target);
    const report = await runLoad({ target, ratePerSecond: 200, requests: 10, plan: get });
    assert.deepEqual(failuresOf(report), { connect: 10 });
  });

  test("shows a stall in the latency of every request that was due during it", async () => {
    const stallMs = 400;
    const report = await withServer(
      (() => {
        let openAt = 0;
        return counting((count, _request, response) => {
          // The 50th request, and all that come until it is over, wait for the end of the stall.
          if (count === 50) openAt = performance.now() + stallMs;
          setTimeout(() => response.end("ok"), Math.max(openAt - performance.now(), 0));
        });
      })(),
      ({ target }) => runLoad({ target, ratePerSecond: 200, requests: 200, plan: get, recordSamples: true }),
    );
    assert.equal(report.failed, 0);
    // 80 of 200 requests fall into the stall; a closed loop of one connection would have shown one.
    assert.ok(report.latencyMs.max >= stallMs * 0.95, `max ${report.latencyMs.max} ms`);
    assert.ok(report.latencyMs.p90 >= stallMs * 0.5, `p90 ${report.latencyMs.p90} ms`);
    assert.ok(report.maxInFlight >= 40, `${report.maxInFlight} in flight`);
    assert.equal(report.samples?.between(0, Number.POSITIVE_INFINITY).count, 200);
    assert.equal(report.samples?.between(0, 1).count, 0);
  });

  test("voids a run whose generator was late", async () => {
    const report = await withServer(
      (_request, response) => response.end("ok"),
      ({ target }) => {
        // Stands for a machine that is too busy to send on time.
        return runLoad({ target, ratePerSecond: 200, requests: 60, plan: (i) => (i === 10 ? blocked(150, get()) : get()) });
      },
    );
    assert.match(report.voidBecause ?? "", /late: \d{3,}\.\d ms at the 99\.9th percentile, 50 allowed/);
    // What was sent late took that much longer: latency counts from the moment it was due.
    assert.ok(report.latencyMs.max >= 140, `${report.latencyMs.max} ms`);
    assert.match(describeLoad(report), /VOID/);
  });

  test("ends and voids a run that has too much in flight", async () => {
    const report = await withServer(
      () => {},
      ({ target }) => runLoad({ target, ratePerSecond: 500, durationMs: 60_000, timeoutMs: 500, maxInFlight: 40, plan: get }),
    );
    assert.match(report.voidBecause ?? "", /more than 40 requests in flight/);
    assert.deepEqual([report.maxInFlight, report.failures.timeout], [40, 40]);
  });

  test("keeps connections open, opens new ones, or mixes both, as asked", async () => {
    assert.equal(await connectionsOpened("fresh"), 50);
    const kept = await connectionsOpened("keep-alive");
    assert.ok(kept < 50, `${kept} connections for 50 requests`);
    const mixed = await connectionsOpened("mixed");
    assert.ok(mixed >= 5 && mixed < 50, `${mixed} connections for 50 requests`);
  });

  test("does not use a connection again that rested so long that the server may be closing it", async () => {
    const opened = await withServer(
      (_request, response) => response.end("ok"),
      async (served) => {
        const report = await runLoad({ target: served.target, ratePerSecond: 0.45, requests: 2, plan: get });
        assert.equal(report.failed, 0);
        return served.connections();
      },
    );
    assert.equal(opened, 2);
  });

  test("follows a customer from one answer to the next request, and keeps a ledger of what was handed out", async () => {
    const ledger = new IdLedger();
    const given: string[] = [];
    const report = await withServer(
      counting((count, request, response) => {
        if (request.url === "/order") {
          // Every 40th request repeats an id: the ledger has to notice.
          const id = count % 40 === 0 ? (given[0] ?? "") : `order-${count}`;
          given.push(id);
          response.statusCode = 201;
          response.end(JSON.stringify({ id }));
        } else response.end("ok");
      }),
      ({ target }) =>
        runLoad({
          target,
          ratePerSecond: 200,
          requests: 40,
          plan: () => ({ path: "/fill", next: () => ({ path: "/order", method: "POST", body: { pay: true }, status: 201 }) }),
          validate: (response, _i, spec) => (spec.path === "/order" ? ledger.record((response.json() as { id: string }).id) : null),
        }),
    );
    assert.equal(report.completed, 80);
    const repeated = given.length - new Set(given).size;
    assert.equal(report.failures.body, repeated);
    assert.deepEqual(ledger.compare(given), { missing: [], unknown: [], doubled: ledger.doubled });
    assert.equal(ledger.doubled.length, repeated);
  });

  test("counts while it runs, and stops when told to, with nothing left in flight", async () => {
    await withServer(
      (_request, response) => setTimeout(() => response.end("ok"), 30),
      async ({ target }) => {
        let answered = 0;
        const enough = new EventEmitter();
        const validate = (): null => {
          answered += 1;
          if (answered === 50) enough.emit("answered");
          return null;
        };
        const load = startLoad({ target, ratePerSecond: 300, plan: get, validate });
        await once(enough, "answered");
        const during = load.snapshot();
        assert.ok(during.completed >= 49 && during.sent > during.completed && during.inFlight > 0, JSON.stringify(during));
        const report = await load.stop();
        assert.equal(report.completed, report.sent);
        assert.equal(report.failed, 0);
        assert.equal(load.snapshot().inFlight, 0);
      },
    );
  });

  test("counts the kept connections that the server ended, idle or with an answer, and not those that the client ended", async () => {
    for (const [ended, listener] of [
      [0, (_count, _request, response) => response.end("ok")],
      [2, (count, _request, response) => response.setHeader("connection", count === 10 || count === 20 ? "close" : "keep-alive").end("ok")],
      [1, (count, request, response) => response.end("ok", () => void (count === 10 && setImmediate(() => request.socket.end())))],
    ] as const satisfies [number, Parameters<typeof counting>[0]][]) {
      const { keptConnections, failed } = await withServer(counting(listener), ({ target }) => runLoad({ target, ratePerSecond: 50, requests: 30, plan: get }));
      assert.deepEqual([failed, keptConnections.lost], [0, ended]);
      assert.ok(keptConnections.opened > ended, `${keptConnections.opened} opened`);
    }
  });

  test("ends with its signal, and refuses to start what would never end", async () => {
    await withServer(
      (_request, response) => response.end("ok"),
      async ({ target }) => {
        const report = await runLoad({ target, ratePerSecond: 100, until: AbortSignal.timeout(200), plan: get });
        assert.ok(report.sent >= 1 && report.sent <= 100, `${report.sent} sent`);
        await assert.rejects(runLoad({ target, ratePerSecond: 100, plan: get }), RangeError);
      },
    );
    assert.throws(() => startLoad({ target: new URL("https://127.0.0.1"), ratePerSecond: 1, plan: get }), RangeError);
  });
});

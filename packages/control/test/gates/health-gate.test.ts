import assert from "node:assert/strict";
import { createServer } from "node:http";
import { once } from "node:events";
import type { AddressInfo } from "node:net";
import { test } from "node:test";
import { judgeByHealth } from "../../src/gates/health-gate.ts";

/** Answers with one status after the other; 0: not at all. */
async function withStatuses<T>(statuses: readonly number[], work: (url: string, asked: () => number) => Promise<T>): Promise<T> {
  let asked = 0;
  const server = createServer((_, response) => {
    const status = statuses[Math.min(asked++, statuses.length - 1)]!;
    if (status > 0) response.writeHead(status, { location: "/" }).end("x");
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  try {
    return await work(`http://127.0.0.1:${(server.address() as AddressInfo).port}/health`, () => asked);
  } finally {
    server.close();
    server.closeAllConnections();
  }
}

const table: readonly (readonly [statuses: readonly number[], kind: string, value: number | null, samples: number, asked: number])[] = [
  [[200], "ok", 200, 1, 1],
  [[204], "ok", 204, 1, 1],
  [[503, 200], "ok", 200, 2, 2],
  [[503, 503, 200], "ok", 200, 3, 3],
  [[503], "failed", 503, 3, 3],
  [[404], "failed", 404, 3, 3],
  [[302], "failed", 302, 3, 3],
  [[0], "inconclusive", null, 0, 3],
  [[503, 0], "inconclusive", 503, 1, 3],
];

for (const [statuses, kind, value, samples, asks] of table) {
  test(`a URL that answers ${statuses.join(", ")} is ${kind}, after ${asks} tries`, () =>
    withStatuses(statuses, async (url, asked) => {
      const judged = await judgeByHealth(url, { timeoutMs: statuses.includes(0) ? 200 : 20_000, betweenMs: 1 });
      assert.equal(judged.kind, kind, judged.because);
      assert.deepEqual(judged.finding, { metric: "health", value, limit: 299, samples, on: url });
      assert.equal(asked(), asks);
    }));
}

test("a URL where nobody listens is inconclusive: silence says nothing", async () => {
  const url = await withStatuses([200], async (there) => there);
  const { kind, because } = await judgeByHealth(url, { betweenMs: 1 });
  assert.equal(kind, "inconclusive");
  assert.match(because, /gave no answer: ECONNREFUSED/);
});

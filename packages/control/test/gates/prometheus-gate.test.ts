import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { createServer, type RequestListener } from "node:http";
import { once } from "node:events";
import type { AddressInfo } from "node:net";
import { after, before, describe, test } from "node:test";
import { judgeByPrometheus, type PrometheusQuery } from "../../src/gates/prometheus-gate.ts";
import type { Judged } from "../../src/gates/request-gates.ts";
import { startPrometheus } from "./start-prometheus.ts";

const { answers } = JSON.parse(readFileSync(new URL("prometheus-answers.json", import.meta.url), "utf8")) as { answers: readonly { query: string; status: number; body: string }[] };

async function serve(answer: RequestListener): Promise<{ readonly url: string; readonly close: () => void }> {
  const server = createServer(answer);
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    close: () => {
      server.close();
      server.closeAllConnections();
    },
  };
}

const environment = { TOKEN: "secret", EMPTY: "" };

function judge(url: string, query: string, more: Partial<PrometheusQuery> = {}, timeoutMs = 5000): Promise<Judged> {
  return judgeByPrometheus({ url, query, max: 0.01, tokenVariable: null, ...more }, ["web-1", "web.2"], { environment, timeoutMs });
}

/** A limit of 0.01, and what each answer comes to. */
const table: readonly (readonly [query: string, kind: Judged["kind"], value: number | null, samples: number, because: RegExp])[] = [
  ["0.004", "ok", 0.004, 1, /0.004, limit 0.01/],
  ["vector(0.02)", "failed", 0.02, 1, /0.02, limit 0.01: vector/],
  ['label_replace(vector(0.005),"pod","web-1","","") or label_replace(vector(2),"pod","web-2","","")', "failed", 2, 2, /2, limit 0.01 for \{pod="web-2"\}/],
  ['label_replace(vector(0)/vector(0),"pod","web-1","","") or label_replace(vector(0.001),"pod","web-2","","")', "inconclusive", 0.001, 1, /1 of 2 values that are no numbers/],
  ["absent(vector(1))", "inconclusive", null, 0, /the query gave no series/],
  ["vector(0)/vector(0)", "inconclusive", null, 0, /1 of 1 values that are no numbers/],
  ["vector(1)/vector(0)", "failed", Infinity, 1, /Infinity, limit 0.01/],
  ["-1/0", "inconclusive", null, 0, /no numbers/],
  ["vector(1)[5m:1m]", "inconclusive", null, 0, /gives a matrix, not a scalar or a vector/],
  ['"a"', "inconclusive", null, 0, /gives a string/],
  ["sum(rate(", "inconclusive", null, 0, /answered 400: bad_data: invalid parameter/],
  ['vector(0.001) and on() absent(absent_over_time(up{pod=~"$wave"}[1m]))', "inconclusive", null, 0, /no series/],
];

/** `PROMETHEUS` names a binary: then the same is asked of a server of one's own; else its answers are those that were written down. */
const binary = process.env["PROMETHEUS"];

describe(`a query to Prometheus (${binary ?? "its answers as they were"})`, () => {
  let server: { readonly url: string; readonly close: () => void };
  before(async () => {
    server =
      binary === undefined
        ? await serve((request, response) => {
            const { pathname, searchParams } = new URL(request.url!, "http://localhost");
            const found = answers.find(({ query }) => query === searchParams.get("query"));
            const isAsked = pathname === "/api/v1/query" && searchParams.get("timeout") === "5000ms";
            response.writeHead(isAsked ? (found?.status ?? 500) : 404, { "content-type": "application/json" }).end(isAsked ? found?.body : "404 page not found");
          })
        : await startPrometheus(binary);
  });
  after(() => server.close());

  for (const [query, kind, value, samples, because] of table) {
    test(`that gives what ${query} gives is ${kind}`, async () => {
      const judged = await judge(server.url, query);
      assert.equal(judged.kind, kind, judged.because);
      assert.deepEqual(judged.finding, { metric: "prometheus", value, limit: 0.01, samples, on: server.url });
      assert.match(judged.because, because);
    });
  }

  test("may say where the server is with a slash at the end", async () => assert.equal((await judge(`${server.url}/`, "0.004")).kind, "ok"));
});

describe("a query to what does not answer as Prometheus does", () => {
  const bodies: readonly (readonly [what: string, body: string, status: number])[] = [
    ["a page", "<html>it works</html>", 200],
    ["nothing", "", 200],
    ["another API's JSON", '{"ok":true}', 200],
    ["JSON that is no object", "[]", 200],
    ["a value that is no sample", '{"status":"success","data":{"resultType":"vector","result":[{"metric":{},"value":"1"}]}}', 200],
    ["an empty value", '{"status":"success","data":{"resultType":"scalar","result":[1,""]}}', 200],
    ["a redirect", "", 302],
    ["an error of a proxy", "bad gateway", 502],
  ];
  for (const [what, body, status] of bodies) {
    test(`but with ${what} is inconclusive`, async () => {
      const server = await serve((_, response) => response.writeHead(status, { location: "/elsewhere" }).end(body));
      try {
        assert.equal((await judge(server.url, "1")).kind, "inconclusive");
      } finally {
        server.close();
      }
    });
  }

  test("but with more than a megabyte is inconclusive, and is not read to its end", async () => {
    let written = 0;
    const server = await serve((_, response) => {
      const more = (): void => {
        for (let ok = true; ok && written < 100 << 20 && !response.destroyed; written += 65_536) ok = response.write(Buffer.alloc(65_536, " "));
      };
      response.on("drain", more);
      more();
    });
    try {
      const { kind, because } = await judge(server.url, "1");
      assert.equal(kind, "inconclusive");
      assert.match(because, /more than 1048576 bytes/);
      assert.ok(written < 50 << 20, String(written));
    } finally {
      server.close();
    }
  });

  test("but is silent is inconclusive, after its time", async () => {
    const server = await serve(() => undefined);
    try {
      const { kind, because } = await judge(server.url, "1", {}, 50);
      assert.equal(kind, "inconclusive");
      assert.match(because, /did not answer within 1.05 s/);
    } finally {
      server.close();
    }
  });

  test("where nobody listens is inconclusive", async () => {
    const server = await serve(() => undefined);
    server.close();
    assert.match((await judge(server.url, "1")).because, /ECONNREFUSED/);
  });
});

describe("a token", () => {
  test("is taken from its variable and sent as a bearer token", async () => {
    const server = await serve((request, response) => response.end(request.headers.authorization === "Bearer secret" ? answers[0]!.body : ""));
    try {
      assert.equal((await judge(server.url, "1", { tokenVariable: "TOKEN" })).kind, "ok");
    } finally {
      server.close();
    }
  });

  for (const tokenVariable of ["EMPTY", "MISSING"]) {
    test(`whose variable ${tokenVariable} holds nothing is never sent, and nothing is asked`, async () => {
      const { kind, because } = await judge("http://127.0.0.1:1", "1", { tokenVariable });
      assert.equal(kind, "inconclusive");
      assert.match(because, new RegExp(`the variable ${tokenVariable} is not set`));
    });
  }
});

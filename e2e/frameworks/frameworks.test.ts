import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { guardAgainstLeaks } from "@midflight/testkit";
import { nodeMajors } from "../../scripts/node-versions.mjs";
import type { Protocol } from "./customers.ts";
import { runFramework } from "./run-framework.ts";

const frameworks: readonly { readonly name: string; readonly entry: string; readonly protocol: Protocol; readonly nodes: readonly number[] }[] = [
  { name: "node:http", entry: "http.mjs", protocol: "http", nodes: nodeMajors },
  { name: "Express 5", entry: "express5.mjs", protocol: "http", nodes: nodeMajors },
  { name: "node:http2", entry: "http2.mjs", protocol: "http2", nodes: [20, 24] },
  { name: "Express 4", entry: "express4.cjs", protocol: "http", nodes: [22, 26] },
  { name: "Fastify", entry: "fastify.mjs", protocol: "http", nodes: [20, 26] },
  { name: "Koa", entry: "koa.mjs", protocol: "http", nodes: [22, 24] },
  { name: "Hono", entry: "hono.mjs", protocol: "http", nodes: [20, 24] },
  { name: "messages of ws and jobs of a queue, in run()", entry: "ws.mjs", protocol: "ws", nodes: [22, 26] },
];
const swaps = 4;

describe("a request ends on the version that it began with, whatever serves it", { concurrency: 2 }, () => {
  guardAgainstLeaks();

  for (const { name, entry, protocol, nodes } of frameworks) {
    for (const node of nodes) {
      test(`${name} on Node ${node}: ${swaps} swaps under load`, async () => {
        const { answered, failed, mixed, untimely, straddling, app, isSameProcess, stderr } = await runFramework({ entry, protocol, node, swaps });
        assert.deepEqual({ failed, mixed, untimely, stderr }, { failed: [], mixed: [], untimely: [], stderr: [] });
        assert.deepEqual(app, { served: answered, mixed: 0, seen: "ABC" }, "all were served by one process, which kept its state");
        assert.ok(isSameProcess);
        assert.ok(straddling >= swaps, `requests were under way during the swaps: ${straddling} of ${answered}`);
      });
    }
  }

  for (const { name, entry, protocol } of frameworks.filter(({ entry }) => ["fastify.mjs", "ws.mjs"].includes(entry))) {
    test(`${name}: without generations mixed answers are found, so that the rest proves something`, async () => {
      const { mixed, app, failed } = await runFramework({ entry, protocol, node: 24, swaps, env: { MIDFLIGHT_POLICY: "call" } });
      assert.deepEqual(failed, []);
      assert.ok(mixed.length > 0 && app.mixed > 0, `${mixed.length} answers were mixed`);
    });
  }
});

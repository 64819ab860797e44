import assert from "node:assert/strict";
import { test } from "node:test";
import { nodeMajors } from "../../scripts/node-versions.mjs";
import type { Protocol } from "./customers.ts";
import { runFramework } from "./run-framework.ts";

export interface Framework {
  readonly name: string;
  readonly entry: string;
  readonly protocol: Protocol;
  /** Major versions of Node that it is tried on: two take the whole matrix, so that a run of all tests stays short. */
  readonly nodes: readonly number[];
}

export const frameworks: readonly Framework[] = [
  { name: "node:http", entry: "http.mjs", protocol: "http", nodes: nodeMajors },
  { name: "Express 5", entry: "express5.mjs", protocol: "http", nodes: nodeMajors },
  { name: "Express 4", entry: "express4.cjs", protocol: "http", nodes: [22, 26] },
  { name: "node:http2", entry: "http2.mjs", protocol: "http2", nodes: [20, 24] },
  { name: "Fastify", entry: "fastify.mjs", protocol: "http", nodes: [20, 26] },
  { name: "Koa", entry: "koa.mjs", protocol: "http", nodes: [22, 24] },
  { name: "Hono", entry: "hono.mjs", protocol: "http", nodes: [20, 24] },
  { name: "messages of ws and jobs of a queue, in run()", entry: "ws.mjs", protocol: "ws", nodes: [22, 26] },
];

export const swaps = 4;

/** Under the policy `request`: one test per framework and Node. */
export function testFrameworks(entries: readonly string[]): void {
  for (const { name, entry, protocol, nodes } of frameworks.filter((one) => entries.includes(one.entry))) {
    for (const node of nodes) {
      test(`${name} on Node ${node}: ${swaps} swaps under load`, async () => {
        const { answered, failed, mixed, untimely, app, isSameProcess, stderr } = await runFramework({ entry, protocol, node, swaps });
        assert.deepEqual({ failed, mixed, untimely, stderr }, { failed: [], mixed: [], untimely: [], stderr: [] });
        const { sideBySide, ...rest } = app;
        assert.deepEqual(rest, { served: answered, mixed: 0, seen: "ABC" }, "all were served by one process, which kept its state");
        assert.ok(isSameProcess);
        assert.ok(sideBySide >= swaps, `requests were under way during the swaps: ${sideBySide} of ${answered} began beside those of another version`);
      });
    }
  }
}

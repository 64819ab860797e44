import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { guardAgainstLeaks } from "@midflight/testkit";
import { frameworks, swaps } from "./frameworks.ts";
import { runFramework } from "./run-framework.ts";

describe("policies for requests under way", () => {
  guardAgainstLeaks();

  for (const { name, entry, protocol, nodes } of frameworks.filter((one) => ["http.mjs", "fastify.mjs", "http2.mjs"].includes(one.entry))) {
    test(`${name}: under drain no request fails either, and versions never serve side by side`, async () => {
      const { answered, failed, mixed, untimely, app, isSameProcess, stderr } = await runFramework({ entry, protocol, node: nodes.at(-1)!, swaps, requests: { kind: "drain", holdMs: 30_000 } });
      assert.deepEqual({ failed, mixed, untimely, stderr }, { failed: [], mixed: [], untimely: [], stderr: [] });
      assert.deepEqual(app, { served: answered, mixed: 0, sideBySide: 0, seen: "ABC" });
      assert.ok(isSameProcess);
    });
  }

  for (const { name, entry, protocol } of frameworks.filter((one) => ["fastify.mjs", "ws.mjs"].includes(one.entry))) {
    test(`${name}: under call mixed answers are found, so that the rest proves something`, async () => {
      const { mixed, app, failed } = await runFramework({ entry, protocol, node: 24, swaps, requests: { kind: "call" } });
      assert.deepEqual(failed, []);
      assert.ok(mixed.length > 0 && app.mixed > 0, `${mixed.length} answers were mixed`);
    });
  }
});

import assert from "node:assert/strict";
import { describe, test } from "node:test";
import type { Beat } from "@midflight/protocol";
import { openGates, type Gates } from "../../src/gates/open-gates.ts";
import { measuredBeat, r1, r2 } from "./measured-beat.ts";

const none: Gates = { errors: null, p99: null, minRequests: 100, services: null, prometheus: [], health: [] };
const errors = { kind: "value", value: 0.01 } as const;
const question = { wave: ["web-1"], release: r2, before: r1, sinceMs: 1000 };
const unreachable = "http://127.0.0.1:1/";

function open(gates: Partial<Gates>, presence: () => Promise<readonly Beat[]>): NonNullable<ReturnType<typeof openGates>> {
  const gate = openGates({ gates: { ...none, ...gates }, registry: { presence }, channel: "demo/production", environment: {}, now: () => 2000 });
  gate!.close();
  return gate!;
}

describe("the gates of a configuration", () => {
  test("are none if it names none", () => assert.equal(openGates({ gates: none, registry: { presence: async () => [] }, channel: "demo/production", environment: {} }), null));

  test("ask the registry what processes have measured", async () => {
    const gate = open({ errors }, async () => [measuredBeat("web-1", [{ release: r2, requests: 200, errors: 100, sinceMs: 1500 }])]);
    const { kind, findings } = await gate.judge(question);
    assert.deepEqual([kind, findings.map(({ metric, on }) => [metric, on])], ["failed", [["errors", "web-1"]]]);
  });

  test("are inconclusive where no process measures: no data is no success", async () => {
    const asked = measuredBeat("web-1", []);
    const silent: Beat = Object.fromEntries(Object.entries(asked).filter(([key]) => key !== "measured")) as never;
    for (const beats of [[], [silent]]) {
      const verdict = await open({ errors }, async () => beats).judge(question);
      assert.deepEqual(verdict, { kind: "inconclusive", findings: [], because: "no process of the wave has measured a request" });
    }
  });

  test("are inconclusive while the registry cannot be asked, and never throw", async () => {
    const verdict = await open({ errors }, () => Promise.reject(new Error("away"))).judge(question);
    assert.deepEqual([verdict.kind, verdict.because], ["inconclusive", "gates could not look: away"]);
  });

  test("all have to be well: one that cannot tell is enough to wait, one that failed enough to go back", async () => {
    const beats = (failed: number): Beat[] => [measuredBeat("web-1", [{ release: r2, requests: 1000, errors: failed, sinceMs: 1500 }])];
    const query = { url: unreachable, query: "1", max: 1, tokenVariable: null };
    const [good, bad] = await Promise.all([0, 500].map((failed) => open({ errors, prometheus: [query] }, async () => beats(failed)).judge(question)));
    assert.equal(good!.kind, "inconclusive");
    assert.match(good!.because!, /^prometheus: http:\/\/127\.0\.0\.1:1 gave no answer/);
    assert.equal(bad!.kind, "failed");
    assert.match(bad!.because!, /^errors 50 %/);
    assert.equal(bad!.findings.length, 2);
  });
});

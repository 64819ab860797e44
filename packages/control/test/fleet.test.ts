import assert from "node:assert/strict";
import { describe, test } from "node:test";
import type { Beat, Report, SwapOutcome } from "@midflight/protocol";
import { judgeFleet, type FleetInput } from "../src/operation/fleet.ts";
import type { ProcessRecord } from "@midflight/supervisor";

const r1 = `sha256:${"1".repeat(64)}` as const;
const r2 = `sha256:${"2".repeat(64)}` as const;

function beat(target: string, more: Partial<Beat> = {}): Beat {
  return {
    agent: `${target}-a`, target, service: "web", host: "h", pid: 1, thread: 0, runtime: "node 24", startedAt: "2026-01-01T00:00:00.000Z",
    channel: "demo/development", state: "following", boot: r1, live: r1, counter: 1, generation: 0, ...more,
  };
}

function record(target: string, more: Partial<ProcessRecord> = {}): ProcessRecord {
  return { target, service: "web", phase: "ready", identity: { pid: 1, startedAs: "x" }, leaving: null, launchKey: "k", release: r1, number: 1, url: null, startedAt: null, failures: 0, lastFailure: null, restartsBecause: null, logPath: "/l", logStartBytes: 0, ...more };
}

function report(target: string, outcome: SwapOutcome, counter = 2): Report {
  return { id: `${target}-${counter}`, channel: "demo/development", counter, from: beat(target), boot: r1, outcome, at: "" };
}

const refused = (code: "REPLACE_NEEDED" | "OVERLAY_FAILED"): SwapOutcome => ({ kind: "refused", release: r2, code, reason: "because", unit: null });

function standings(input: Partial<FleetInput>): Record<string, string> {
  const members = judgeFleet({ assigned: () => ({ release: r2, counter: 2 }), beats: [], reports: [], records: [], countsProbation: true, expected: new Map([["web-1", "web"]]), ...input });
  return Object.fromEntries(members.map((member) => [member.target, member.standing]));
}

describe("judging a fleet", () => {
  test("who obeyed an earlier wave of a rollout has confirmed the later ones; who obeyed the release before has not", () => {
    const wave = { rollout: 2, step: 1, steps: ["1", "100%"], bakeMs: 0, before: r1, mode: "going" as const };
    const assigned = (): ReturnType<FleetInput["assigned"]> => ({ release: r2, counter: 4, wave });
    assert.deepEqual(standings({ assigned, beats: [beat("web-1", { live: r2, counter: 2 })] }), { "web-1": "confirmed" });
    assert.deepEqual(standings({ assigned, beats: [beat("web-1", { live: r2, counter: 1 })] }), { "web-1": "moving" });
    assert.deepEqual(standings({ assigned, beats: [beat("web-1", { live: r1, counter: 4 })] }), { "web-1": "moving" });
  });

  test("a process is confirmed by the release it reads back, for this assign or a later one", () => {
    assert.deepEqual(standings({ beats: [beat("web-1", { live: r2, counter: 2 })] }), { "web-1": "confirmed" });
    assert.deepEqual(standings({ beats: [beat("web-1", { live: r2, counter: 1 })] }), { "web-1": "moving" });
    assert.deepEqual(standings({ beats: [beat("web-1", { live: r1, counter: 2 })] }), { "web-1": "moving" });
  });

  test("a process that should run and does not is absent, never left out", () => {
    assert.deepEqual(standings({}), { "web-1": "absent" });
    assert.deepEqual(standings({ beats: [beat("web-1", { live: r2, counter: 2 })], records: [record("web-1", { phase: "waiting" })] }), { "web-1": "absent" });
  });

  test("a process that control starts counts when it serves, not when its agent speaks", () => {
    assert.deepEqual(standings({ beats: [beat("web-1", { live: r2, counter: 2 })], records: [record("web-1", { phase: "starting" })] }), { "web-1": "moving" });
  });

  test("outside of development a process confirms when its probation is over", () => {
    const beats = [beat("web-1", { live: r2, counter: 2, state: "probation" })];
    assert.deepEqual([standings({ beats }), standings({ beats, countsProbation: false })], [{ "web-1": "confirmed" }, { "web-1": "moving" }]);
  });

  test("a process that nobody expected counts too", () => {
    assert.deepEqual(standings({ beats: [beat("web-1", { live: r2, counter: 2 }), beat("web-1#3", { thread: 3 })] }), { "web-1": "confirmed", "web-1#3": "moving" });
  });

  test("a refusal is final, unless control helps by a new process", () => {
    assert.deepEqual(standings({ beats: [beat("web-1")], reports: [report("web-1", refused("OVERLAY_FAILED"))] }), { "web-1": "refused" });
    assert.deepEqual(standings({ beats: [beat("web-1")], reports: [report("web-1", refused("REPLACE_NEEDED"))] }), { "web-1": "refused" });
    assert.deepEqual(standings({ beats: [beat("web-1")], reports: [report("web-1", refused("REPLACE_NEEDED"))], records: [record("web-1")] }), { "web-1": "moving" });
  });

  test("what an earlier assign was answered with does not count for this one", () => {
    assert.deepEqual(standings({ beats: [beat("web-1")], reports: [report("web-1", refused("OVERLAY_FAILED"), 1)] }), { "web-1": "moving" });
  });

  test("a process that took it back has reverted", () => {
    const outcome: SwapOutcome = { kind: "reverted", release: r2, generation: 2, code: "SWAP_REVERTED", reason: "TypeError" };
    assert.deepEqual(standings({ beats: [beat("web-1", { counter: 2 })], reports: [report("web-1", outcome)] }), { "web-1": "reverted" });
  });

  test("the successor's word counts, not that of the process it replaced", () => {
    const old = beat("web-1", { agent: "old", live: r2, counter: 2 });
    const now = beat("web-1", { agent: "new", live: r1, counter: 2, startedAt: "2026-01-02T00:00:00.000Z" });
    assert.deepEqual(standings({ beats: [now, old] }), { "web-1": "moving" });
  });

  test("code of no known release is unregistered whatever else it says", () => {
    assert.deepEqual(standings({ beats: [beat("web-1", { state: "unregistered", live: null, boot: null })] }), { "web-1": "unregistered" });
  });
});

import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { array, assert as assertProperty, asyncProperty, boolean, constant, constantFrom, integer, nat, oneof, record, type Arbitrary } from "fast-check";
import type { Registry } from "@midflight/protocol";
import { MidflightError } from "@midflight/protocol";
import { until } from "./support/until.ts";
import { openFloor } from "../src/floor.ts";
import { runAgent } from "./support/run-agent.ts";
import { ScriptedRuntime } from "./support/scripted-runtime.ts";
import { channel, World, type Published } from "./support/world.ts";

type Step =
  | { readonly kind: "deploy" }
  /** A release that was deployed before, counted from the newest. */
  | { readonly kind: "again"; readonly back: number; readonly cause: "deploy" | "rollback" | "retry" }
  | { readonly kind: "expired" }
  | { readonly kind: "replace" }
  | { readonly kind: "replay" }
  | { readonly kind: "late-way" }
  /** With `inProbation`, at the next probation if one comes soon. */
  | { readonly kind: "error"; readonly inProbation: boolean }
  | { readonly kind: "refuse-next" }
  | { readonly kind: "undo-next" }
  | { readonly kind: "registry-fails"; readonly times: number }
  /** Lets the agent work for so many turns of the event loop. */
  | { readonly kind: "turns"; readonly count: number }
  /** Lets it come to rest, if it does so soon. */
  | { readonly kind: "rest" };

const step: Arbitrary<Step> = oneof(
  { weight: 4, arbitrary: constant<Step>({ kind: "deploy" }) },
  { weight: 3, arbitrary: record({ kind: constant("again" as const), back: nat(3), cause: constantFrom("deploy" as const, "rollback" as const, "retry" as const) }) },
  constant<Step>({ kind: "expired" }),
  constant<Step>({ kind: "replace" }),
  constant<Step>({ kind: "replay" }),
  constant<Step>({ kind: "late-way" }),
  { weight: 3, arbitrary: record({ kind: constant("error" as const), inProbation: boolean() }) },
  constant<Step>({ kind: "refuse-next" }),
  constant<Step>({ kind: "undo-next" }),
  record({ kind: constant("registry-fails" as const), times: integer({ min: 1, max: 2 }) }),
  { weight: 3, arbitrary: constant<Step>({ kind: "rest" }) },
  { weight: 4, arbitrary: record({ kind: constant("turns" as const), count: nat(30) }) },
);

/** Refuses or undoes once, when told to. */
class MoodyRuntime extends ScriptedRuntime {
  refuseNext = false;
  undoNext = false;

  override async stage(...args: Parameters<ScriptedRuntime["stage"]>): ReturnType<ScriptedRuntime["stage"]> {
    this.refuseStage = this.refuseNext ? { code: "OVERLAY_FAILED", reason: "told to", unit: null } : null;
    this.refuseNext = false;
    return await super.stage(...args);
  }

  override commit(...args: Parameters<ScriptedRuntime["commit"]>): ReturnType<ScriptedRuntime["commit"]> {
    this.undoCommit = this.undoNext;
    this.undoNext = false;
    return super.commit(...args);
  }
}

/** What all runs together met: a model that never gets anywhere proves nothing. */
const met = new Set<string>();

async function play(steps: readonly Step[]): Promise<void> {
  const world = new World();
  const boot = world.release();
  await world.append(boot.entry, await world.transition(boot, boot), world.assign(boot));
  const known: Published[] = [boot];
  let failures = 0;
  const call = async <T>(work: () => Promise<T>): Promise<T> => {
    if (failures > 0) {
      failures--;
      throw new MidflightError("REGISTRY_UNREACHABLE", { what: "away", retryable: true });
    }
    return await work();
  };
  const registry: Registry = {
    ...world.registry,
    getBlobs: (digests) => call(() => world.registry.getBlobs(digests)),
    transition: (from, to) => call(() => world.registry.transition(from, to)),
    report: (reports) => call(() => world.registry.report(reports)),
  };
  const runtime = new MoodyRuntime();
  const survive = (): void => undefined;
  process.on("uncaughtException", survive);
  const started = await runAgent(world, boot, { registry, runtime, probationMs: 8 });
  const lies: string[] = [];
  started.onState((state) => {
    const really = runtime.live?.release ?? boot.id;
    if (state !== "stopped" && started.agent.live !== really) lies.push(`${state}: says ${started.agent.live}, is ${really}`);
  });
  const { agent, signals, states } = started;
  try {
    for (const s of steps) {
      switch (s.kind) {
        case "deploy":
          known.push(await world.deploy(boot));
          break;
        case "again":
          await world.append(world.assign(known.at(-1 - (s.back % known.length))!, { cause: s.cause }));
          break;
        case "expired":
          await world.deploy(boot, { expiresAt: 1 });
          break;
        case "replace": {
          const next = world.release();
          await world.append(next.entry, await world.transition(boot, next, { rung: "replace" }), world.assign(next));
          break;
        }
        case "replay":
          await world.append(world.assign(boot, { counter: 1, why: String(signals.length) }));
          break;
        case "late-way": {
          const next = world.release();
          await world.append(next.entry, world.assign(next));
          await new Promise(setImmediate);
          await world.append(await world.transition(boot, next));
          known.push(next);
          break;
        }
        case "error":
          for (let look = 0; s.inProbation && agent.state !== "probation" && look < 15; look++) await new Promise((resolve) => setTimeout(resolve, 1));
          (process as NodeJS.EventEmitter).emit("uncaughtExceptionMonitor", new Error("told to"), "uncaughtException");
          break;
        case "refuse-next":
          runtime.refuseNext = true;
          break;
        case "undo-next":
          runtime.undoNext = true;
          break;
        case "registry-fails":
          failures = s.times;
          break;
        case "rest":
          for (let look = 0; agent.state !== "following" && look < 30; look++) await new Promise((resolve) => setTimeout(resolve, 1));
          break;
        case "turns":
          for (let i = 0; i < s.count; i++) await new Promise(setImmediate);
          break;
      }
    }
    runtime.refuseNext = runtime.undoNext = false;
    // One last deploy that nothing stands against: whatever was before, the agent follows it, unless it has stopped for a failed way back.
    const last = await world.deploy(boot);
    const wentWrong = (): boolean => agent.state === "stopped" && states.includes("reverting");
    await until(async () => (agent.live === last.id && agent.state === "following") || wentWrong() || undefined);

    for (const state of states) met.add(state);
    for (const signal of signals) if (signal.kind === "outcome") met.add(signal.outcome.kind === "refused" ? signal.outcome.code : signal.outcome.kind);
    const committed = runtime.log.filter((l) => l.startsWith("commit"));
    assert(!signals.some((s) => s.kind === "outcome" && s.outcome.kind === "refused" && s.outcome.code === "INTERNAL"), "no event came that the table does not know");
    assert.deepEqual(lies, [], "what it says is live is what was committed last, in every state");
    assert.equal(new Set(signals.flatMap((s) => (s.kind === "outcome" && s.outcome.kind === "swapped" ? [s.outcome.generation] : []))).size, signals.filter((s) => s.kind === "outcome" && s.outcome.kind === "swapped").length);
    assert(committed.length >= signals.filter((s) => s.kind === "outcome" && s.outcome.kind !== "refused").length, "nothing is called live without a commit");
    const { floor } = await openFloor({ file: `${world.directory}/state/web-1.json`, isKept: true });
    const head = await world.registry.head(channel);
    assert(head !== null);
    if (!wentWrong()) assert.equal(floor.state.counter, (await world.registry.presence(channel))[0]?.counter ?? floor.state.counter);
  } finally {
    started.stop();
    process.off("uncaughtException", survive);
    world.close();
  }
}

describe("whatever happens in whatever order", () => {
  test("an agent ends on the newest assign, reports no more than it committed, and never meets an event it does not know", async () => {
    await assertProperty(asyncProperty(array(step, { minLength: 1, maxLength: 14 }), play), { numRuns: 80, endOnFailure: false });
    for (const what of ["swapped", "reverted", "ASSIGN_EXPIRED", "REPLACE_NEEDED", "TRANSITION_MISSING", "OVERLAY_FAILED"]) assert(met.has(what), `no run met ${what}`);
  });
});

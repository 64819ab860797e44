import assert from "node:assert/strict";
import { describe, test } from "node:test";
import * as fc from "fast-check";
import { appliesTo, countOfStep, isWaveStep, targetsOfStep, type Assign, type ReleaseId } from "@midflight/protocol";
import { firstWave, followingWave, isRolloutOpen } from "@midflight/publisher";
import type { GateVerdict } from "../src/gates/gate.ts";
import type { LiveAssign } from "../src/live-release.ts";
import { followedBy, keepFollowed } from "../src/rollout/followed.ts";
import { next } from "../src/rollout/next.ts";
import { isOpen, type Phase, type RolloutEvent, type RolloutRules, type RolloutState, type WaveStanding } from "../src/rollout/state.ts";

const r1: ReleaseId = `sha256:${"1".repeat(64)}`;
const r2: ReleaseId = `sha256:${"2".repeat(64)}`;
const r3: ReleaseId = `sha256:${"3".repeat(64)}`;
const names = ["web-1", "web-2", "web-3", "web-4"];
const steps = ["1", "50%", "100%"];
const rules: RolloutRules = { deadlineMs: 60_000, hasGate: true };

function live(assign: Assign): LiveAssign {
  return { id: `sha256:${assign.counter.toString(16).padStart(64, "0")}`, assign };
}

function assignOf(counter: number, release: ReleaseId, more: Partial<Assign> = {}): Assign {
  return {
    channel: "demo/production", epoch: 1, counter, release, number: Number(release[7]), targets: { kind: "all" }, revertTo: [], cause: "deploy",
    by: "mira", why: null, issuedAt: "2026-01-01T00:00:00.000Z", expiresAt: null, ...more,
  };
}

const first = assignOf(1, r1);
const begun = live({ ...assignOf(2, r2, { revertTo: [r1] }), ...firstWave({ steps, bakeMs: 1_000, names }, 2, first) });

const verdicts: Readonly<Record<GateVerdict["kind"], GateVerdict>> = {
  ok: { kind: "ok", findings: [], because: null },
  inconclusive: { kind: "inconclusive", findings: [{ metric: "errors", value: null, limit: 0.01, samples: 3, on: "web-1" }], because: "3 requests, 100 are needed" },
  failed: { kind: "failed", findings: [{ metric: "errors", value: 0.05, limit: 0.01, samples: 400, on: "web-1" }], because: "errors 5 %, limit 1 %" },
};

/** The state after the log has shown the first wave, and then these events. */
function after(events: readonly RolloutEvent[], from: RolloutState | null = null): RolloutState {
  let state = next(from, { kind: "log", at: 0, head: begun }, rules);
  for (const event of events) state = next(state, event, rules);
  return state!;
}

const wave = ["web-3"];
const standing = (kind: WaveStanding["kind"], at: number, counter = 2): RolloutEvent => ({ kind: "standing", at, counter, standing: kind === "confirmed" ? { kind, wave } : { kind, wave, confirmed: 0, because: "because" } });
const moving = (confirmed: number, at: number): RolloutEvent => ({ kind: "standing", at, counter: 2, standing: { kind: "moving", wave, confirmed, because: "because" } });
const verdict = (kind: GateVerdict["kind"], at: number, counter = 2): RolloutEvent => ({ kind: "verdict", at, counter, verdict: verdicts[kind] });
const baking = [standing("confirmed", 100)];
const paused = live(followingWave(begun.assign, { action: "pause", names, why: "lunch" }, "mira", ""));
const promoted = live(followingWave(begun.assign, { action: "next", names, why: "good" }, "mira", ""));
const back = live(assignOf(3, r1, { cause: "rollback", why: "web-3 took r2 back" }));
const logged = (head: LiveAssign, at = 500): RolloutEvent => ({ kind: "log", at, head });

describe("what becomes of a rollout", () => {
  const table: readonly (readonly [name: string, events: readonly RolloutEvent[], phase: Phase, because?: string | null])[] = [
    ["a first wave in the log begins it", [], "rolling", null],
    ["a wave that is confirmed bakes", baking, "baking"],
    ["one that is baked and judged well is widened", [...baking, verdict("ok", 1_100)], "widening"],
    ["one that is judged well before it has baked stays", [...baking, verdict("ok", 1_099)], "baking"],
    ["no data is not success", [...baking, verdict("inconclusive", 5_000)], "held", "3 requests, 100 are needed"],
    ["no verdict is not success", [...baking, { kind: "tick", at: 50_000 }], "baking"],
    ["one that was held goes on when the gates can say yes", [...baking, verdict("inconclusive", 5_000), verdict("ok", 6_000)], "widening"],
    ["a gate that fails takes it back, also before it has baked", [...baking, verdict("failed", 101)], "aborting", "errors 5 %, limit 1 %"],
    ["a gate that fails takes back what is held", [...baking, verdict("inconclusive", 5_000), verdict("failed", 6_000)], "aborting"],
    ["a gate that fails takes back what is paused", [...baking, logged(paused), verdict("failed", 600, 3)], "aborting"],
    ["a verdict on an earlier wave says nothing", [...baking, logged(promoted), standing("confirmed", 550, 3), verdict("failed", 600, 2)], "baking"],
    ["nor does how its processes stood", [...baking, logged(promoted), standing("confirmed", 600, 2)], "rolling"],
    ["a process that says no at the last moment takes it back", [...baking, verdict("ok", 1_100), standing("failed", 1_101)], "aborting"],
    ["one that ends by itself at the last moment does, too", [...baking, verdict("ok", 1_100), { kind: "fell", at: 1_101, target: "web-3", because: "signal SIGSEGV" }], "aborting"],
    ["a process that says no while it is held takes it back", [...baking, verdict("inconclusive", 5_000), standing("failed", 5_001)], "aborting"],
    ["a process that says no while it is paused takes it back", [...baking, logged(paused), standing("failed", 600, 3)], "aborting"],
    ["to go back to the very release of the waves is another deploy", [...baking, logged(live(assignOf(3, r2, { cause: "rollback" })))], "overtaken"],
    ["it is not over before all are back", [...baking, logged(back), standing("moving", 900, 3)], "returning"],
    ["a process that says no takes it back", [standing("failed", 10)], "aborting", "because"],
    ["a process that says no while it bakes takes it back", [...baking, standing("failed", 200)], "aborting"],
    ["a process that is started anew has to confirm again", [...baking, standing("moving", 200)], "rolling"],
    ["a process of the wave that ends by itself takes it back", [...baking, { kind: "fell", at: 200, target: "web-3", because: "exit code 1" }], "aborting", "web-3 ended by itself: exit code 1"],
    ["a process outside of the wave may end", [...baking, { kind: "fell", at: 200, target: "web-1", because: "exit code 1" }], "baking"],
    ["what is not confirmed in time is taken back", [standing("moving", 60_001)], "aborting", "not confirmed within 60 s: because"],
    ["until then it is waited for", [standing("moving", 60_000)], "rolling"],
    ["a wave that gets on takes as long as it takes", [moving(1, 50_000), moving(2, 100_000), moving(2, 160_000)], "rolling"],
    ["one that gets on no more does not", [moving(1, 50_000), moving(2, 100_000), moving(2, 160_001)], "aborting", "not confirmed within 60 s: because"],
    ["one that falls back has the time again", [...baking, moving(0, 200_000), moving(0, 260_000)], "rolling"],
    ["a person pauses it", [...baking, logged(paused)], "paused", "lunch"],
    ["what is paused stays so, however well it does", [...baking, logged(paused), verdict("ok", 99_000, 3), standing("confirmed", 99_001, 3), { kind: "tick", at: 99_002 }], "paused"],
    ["a person promotes it", [...baking, logged(promoted)], "rolling", null],
    ["a person promotes what is paused", [...baking, logged(paused), logged(live(followingWave(paused.assign, { action: "next", names, why: "" }, "mira", "")))], "rolling"],
    ["a roll-back in the log ends it, whoever made it", [...baking, logged(back)], "returning", "web-3 took r2 back"],
    ["it is over when all are back", [...baking, logged(back), standing("confirmed", 900, 3)], "rolled-back", "web-3 took r2 back"],
    ["the first reason is kept on the way back", [...baking, verdict("failed", 200), logged(back), standing("confirmed", 900, 3)], "rolled-back", "errors 5 %, limit 1 %"],
    ["another deploy overtakes it", [logged(live(assignOf(3, r3)))], "overtaken"],
    ["what was decided to fail is not saved by a promotion at the same moment", [...baking, verdict("failed", 200), logged(promoted)], "aborting"],
    ["what was decided to fail is not saved by a good word", [...baking, verdict("failed", 200), verdict("ok", 5_000), standing("confirmed", 5_001)], "aborting"],
  ];
  for (const [name, events, phase, because] of table) {
    test(name, () => {
      const state = after(events);
      assert.equal(state.phase, phase);
      if (because !== undefined) assert.equal(state.because, because);
    });
  }

  test("without a gate, a wave passes when it has baked", () => {
    const plain = { ...rules, hasGate: false };
    let state = next(null, { kind: "log", at: 0, head: begun }, plain);
    for (const event of [standing("confirmed", 100), { kind: "tick", at: 1_099 } as const]) state = next(state, event, plain);
    assert.equal(state?.phase, "baking");
    assert.equal(next(state, { kind: "tick", at: 1_100 }, plain)?.phase, "widening");
  });

  test("which processes ran a release is known also when it was taken back from all", () => {
    const all: RolloutEvent = { kind: "standing", at: 900, counter: 3, standing: { kind: "confirmed", wave: names } };
    assert.deepEqual(after([...baking, logged(back), all]).wave, wave);
  });

  test("what is over stays as it is", () => {
    const over = after([...baking, logged(back), standing("confirmed", 900, 3)]);
    const late: readonly RolloutEvent[] = [
      { kind: "standing", at: 950, counter: 3, standing: { kind: "failed", wave: ["web-1"], because: "no" } }, verdict("failed", 950, 3), { kind: "tick", at: 99_999 },
      { kind: "fell", at: 950, target: "web-3", because: "exit code 1" }, logged(live(assignOf(4, r3))),
    ];
    for (const event of late) assert.equal(next(over, event, rules), over);
  });

  test("what was paused is found paused by a control that knows nothing of it", () => {
    const found = next(null, logged(paused), rules);
    assert.deepEqual([found?.phase, found?.because, found?.wave], ["paused", "lunch", []]);
  });

  test("a channel without waves has no rollout", () => {
    assert.equal(next(null, { kind: "log", at: 0, head: live(first) }, rules), null);
  });

  test("the last wave is watched to its end, also by a control that knows nothing of it", () => {
    const last = live(followingWave(promoted.assign, { action: "next", names, why: "" }, "mira", ""));
    assert.equal(isRolloutOpen(last.assign), false);
    const found = next(null, { kind: "log", at: 0, head: last }, rules);
    assert.deepEqual([found?.phase, found?.step], ["rolling", 2]);
    assert.equal(next(found, standing("confirmed", 1, 4), rules)?.phase, "done");
    assert.equal(next(found, standing("failed", 1, 4), rules)?.phase, "aborting");
  });
});

describe("the targets of a step", () => {
  test("are as many as it says, at least one, and never fewer than in the step before", () => {
    const step = fc.oneof(fc.integer({ min: 1, max: 300 }).map(String), fc.integer({ min: 1, max: 100 }).map((percent) => `${percent}%`));
    const fleet = fc.uniqueArray(fc.integer({ min: 1, max: 9_999 }).map((n) => `web-${n}`), { minLength: 1, maxLength: 60 });
    fc.assert(
      fc.property(step, step, fleet, fc.string(), (one, other, all, salt) => {
        const reached = (of: string): string[] => all.filter((name) => appliesTo(targetsOfStep(of, all, salt), name));
        assert.ok(isWaveStep(one));
        assert.equal(reached(one).length, countOfStep(one, all.length));
        assert.ok(reached(one).length >= 1);
        const [fewer, more] = [one, other].map(reached).sort((a, b) => a.length - b.length);
        assert.ok(fewer!.every((name) => more!.includes(name)));
      }),
    );
  });

  test("count as people do", () => {
    assert.deepEqual([["1", 4], ["25%", 4], ["25%", 5], ["100%", 3], ["1%", 7], ["9", 4], ["33.3%", 3], ["0.1%", 1_000]].map(([step, total]) => countOfStep(step as string, total as number)), [1, 1, 2, 3, 1, 4, 1, 1]);
    assert.deepEqual(["0", "0%", "101%", "1.5", "", "-1", "25 %", "01", 1, null].filter(isWaveStep), []);
  });

  test("children and threads go with their process", () => {
    const targets = targetsOfStep("1", names, "7");
    const process = names.find((name) => appliesTo(targets, name))!;
    for (const name of names) for (const below of [`${name}/4242`, `${name}#3`, `${name}/4242#3`]) assert.equal(appliesTo(targets, below), name === process, below);
  });
});

/** A channel, its processes and its control, as they are from one moment to the next. */
class World {
  assigns: LiveAssign[] = [live(first), begun];
  now = 0;
  state: RolloutState | null = null;
  hasFailed = false;
  readonly runs = new Map<string, ReleaseId>(names.map((name) => [name, r1]));
  readonly refuses = new Set<string>();

  get head(): LiveAssign {
    return this.assigns.at(-1)!;
  }

  meet(event: RolloutEvent): void {
    // A crash loses nothing that was written down, and that is all of it.
    const state = next(this.state, event, rules);
    this.state = state === null ? null : (JSON.parse(JSON.stringify(state)) as RolloutState);
    if (this.state?.phase === "aborting") this.hasFailed = true;
  }

  look(): void {
    this.meet({ kind: "log", at: this.now, head: this.head });
    if (!isOpen(this.state)) return;
    const { assign } = this.head;
    const own = names.filter((name) => appliesTo(assign.targets, name));
    const refused = own.filter((name) => this.refuses.has(name) && assign.release === r2);
    const isThere = own.every((name) => this.runs.get(name) === assign.release);
    const judged: WaveStanding = refused.length > 0 ? { kind: "failed", wave: own, because: "no" } : isThere ? { kind: "confirmed", wave: own } : { kind: "moving", wave: own, confirmed: own.filter((name) => this.runs.get(name) === assign.release).length, because: "on its way" };
    this.meet({ kind: "standing", at: this.now, counter: assign.counter, standing: judged });
    this.meet({ kind: "tick", at: this.now });
  }

  /** What was decided; lost if control dies before it. */
  act(): void {
    if (this.state === null || this.state.head !== this.head.id) return;
    if (this.state.phase === "widening") this.append(followingWave(this.head.assign, { action: "next", names, why: "" }, "control", ""));
    else if (this.state.phase === "aborting") this.rollBack();
  }

  rollBack(): void {
    if (this.head.assign.release !== r1) this.append(assignOf(this.head.assign.counter + 1, r1, { cause: "rollback" }));
  }

  steer(action: "next" | "pause"): void {
    if (isRolloutOpen(this.head.assign)) this.append(followingWave(this.head.assign, { action, names, why: "" }, "mira", ""));
  }

  append(assign: Assign): void {
    this.assigns.push(live(assign));
  }

  follow(name: string): void {
    const wanted = followedBy(keepFollowed(this.assigns), name)!.assign.release;
    if (wanted !== r2 || !this.refuses.has(name)) this.runs.set(name, wanted);
  }
}

const kinds = ["look", "act", "time", "follow", "ok", "failed", "inconclusive", "fell", "pause", "promote", "abort", "refuse", "lose"] as const;

function apply(world: World, [kind, name]: readonly [(typeof kinds)[number], string]): void {
  const counter = world.state?.counter ?? 0;
  switch (kind) {
    case "look":
      return world.look();
    case "act":
      return world.act();
    case "time":
      world.now += 700;
      return;
    case "follow":
      return world.follow(name);
    case "ok":
    case "failed":
    case "inconclusive":
      return world.meet({ kind: "verdict", at: world.now, counter, verdict: verdicts[kind] });
    case "fell":
      return world.meet({ kind: "fell", at: world.now, target: name, because: "exit code 1" });
    case "pause":
      return world.steer("pause");
    case "promote":
      return world.steer("next");
    case "abort":
      return world.rollBack();
    case "refuse":
      if (world.runs.get(name) === r1) world.refuses.add(name);
      return;
    case "lose":
      world.state = null;
      // What was decided and not done is decided anew by what is seen then.
      world.hasFailed = false;
  }
}

describe("a fleet", () => {
  test("ends on one release, whatever happens on the way, in whatever order", () => {
    const weighted = fc.oneof(
      { weight: 4, arbitrary: fc.constantFrom("look", "act", "time", "follow", "ok" as const) },
      { weight: 1, arbitrary: fc.constantFrom(...kinds) },
    );
    const ends = new Map<string, number>();
    fc.assert(
      fc.property(fc.array(fc.tuple(weighted, fc.constantFrom(...names)), { maxLength: 80 }), (events) => {
        const world = new World();
        for (const event of events) apply(world, event);
        const isDecided = world.hasFailed && isOpen(world.state);
        // From here on nothing goes wrong any more, and who has paused it lets it go on.
        for (let i = 0; i < 40; i++) {
          world.now += 700;
          world.look();
          world.act();
          for (const name of names) world.follow(name);
          world.look();
          apply(world, ["ok", names[0]!]);
          if (world.state?.phase === "paused") world.steer("next");
        }
        assert.equal(isOpen(world.state), false, JSON.stringify(world.state));
        assert.equal(isRolloutOpen(world.head.assign), false);
        const running = new Set(world.runs.values());
        assert.deepEqual([...running], [world.head.assign.release]);
        assert.equal(world.assigns.every(({ assign }, i) => assign.counter === i + 1), true);
        if (isDecided) assert.deepEqual([...running], [r1], "what was decided to fail is taken back");
        for (const name of world.refuses) assert.notEqual(world.runs.get(name), r2);
        ends.set([...running][0]!, (ends.get([...running][0]!) ?? 0) + 1);
      }),
      { numRuns: 3_000 },
    );
    // Both ends are met, or the property would say little.
    assert.ok((ends.get(r1) ?? 0) > 100 && (ends.get(r2) ?? 0) > 100, JSON.stringify([...ends]));
  });

  test("never comes to a wider wave by itself while no gate has said yes", () => {
    const without = kinds.filter((kind) => kind !== "ok" && kind !== "promote");
    fc.assert(
      fc.property(fc.array(fc.tuple(fc.constantFrom(...without), fc.constantFrom(...names)), { maxLength: 120 }), (events) => {
        const world = new World();
        for (const event of events) apply(world, event);
        assert.ok(world.assigns.every(({ assign }) => assign.release !== r2 || assign.wave?.step === 0));
      }),
      { numRuns: 1_000 },
    );
  });
});

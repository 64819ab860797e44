import assert from "node:assert/strict";
import { describe, test } from "node:test";
import type { Beat } from "@midflight/protocol";
import type { GateVerdict } from "../../src/gates/gate.ts";
import { parseErrorLimit, parseLatencyLimit } from "../../src/gates/limit.ts";
import { verdictOf } from "../../src/gates/open-gates.ts";
import { judgeRequests } from "../../src/gates/request-gates.ts";
import { RequestWindow } from "../../src/gates/request-window.ts";
import { measuredBeat, r1, r2, type Had } from "./measured-beat.ts";

interface Row {
  readonly what: string;
  readonly errors?: string;
  readonly p99?: string;
  readonly services?: readonly string[];
  readonly wave: readonly Had[];
  readonly others?: readonly Had[];
  readonly kind: GateVerdict["kind"];
  readonly because?: RegExp;
}

/** Most are fast, and few are slow, so that the slowest one in a hundred takes `p99` ms. */
const tailed = (p99: number): number[] => Array.from({ length: 1000 }, (_, i) => (p99 / 4.6) * (0.2 - Math.log(1 - ((i * 619) % 1000) / 1000 - 0.0005)) / 1.043);

/** What the wave's one process and one beside it had in the window; both begin with it. */
const table: readonly Row[] = [
  { what: "no failure in enough requests", errors: "1%", wave: [{ release: r2, requests: 100 }], kind: "ok" },
  { what: "no request at all", errors: "1%", p99: "1.3x", wave: [{ release: r2, requests: 0 }], others: [{ release: r1, requests: 900 }], kind: "inconclusive", because: /errors: 0 of at least 100 requests were measured on web-1; p99: 0 of at least 100/ },
  { what: "too few requests, though all failed", errors: "1%", wave: [{ release: r2, requests: 99, errors: 99 }], kind: "inconclusive", because: /99 of at least 100/ },
  { what: "a share at its limit", errors: "1%", wave: [{ release: r2, requests: 1000, errors: 10 }], kind: "ok" },
  { what: "a share above its limit that may be chance", errors: "1%", wave: [{ release: r2, requests: 200, errors: 4 }], kind: "inconclusive", because: /errors 2 %, limit 1 %: 4 of 200 requests on web-1, which are too few to tell/ },
  { what: "the same share of more", errors: "1%", wave: [{ release: r2, requests: 4000, errors: 80 }], kind: "failed", because: /errors 2 %, limit 1 %: 80 of 4,000 requests on web-1/ },
  { what: "five failures in a hundred requests, which one in three hundred releases at its limit has", errors: "1%", wave: [{ release: r2, requests: 100, errors: 5 }], others: [{ release: r1, requests: 400 }], kind: "inconclusive" },
  { what: "a release that throws for one request in twenty, after two hundred", errors: "1%", wave: [{ release: r2, requests: 200, errors: 10 }], others: [{ release: r1, requests: 800 }], kind: "failed" },
  { what: "an incident that hits those beside it as well", errors: "1%", wave: [{ release: r2, requests: 1000, errors: 50 }], others: [{ release: r1, requests: 3000, errors: 140 }], kind: "inconclusive", because: /but the others have 4.7 %/ },
  { what: "an incident that hits those beside it less", errors: "1%", wave: [{ release: r2, requests: 1000, errors: 200 }], others: [{ release: r1, requests: 3000, errors: 140 }], kind: "failed" },
  { what: "twice what fails beside it, allowed", errors: "2x", wave: [{ release: r2, requests: 1000, errors: 20 }], others: [{ release: r1, requests: 3000, errors: 40 }], kind: "ok" },
  { what: "ten times what fails beside it", errors: "2x", wave: [{ release: r2, requests: 1000, errors: 130 }], others: [{ release: r1, requests: 3000, errors: 40 }], kind: "failed" },
  { what: "so many times of nothing", errors: "2x", wave: [{ release: r2, requests: 1000, errors: 1 }], kind: "inconclusive", because: /nothing to compare web-1 with/ },
  { what: "one failure beside none of thousands", errors: "2x", wave: [{ release: r2, requests: 1000, errors: 1 }], others: [{ release: r1, requests: 3000 }], kind: "ok" },
  { what: "the same latency", p99: "1.3x", wave: [{ release: r2, requests: 500, ms: tailed(54) }], others: [{ release: r1, requests: 1500, ms: tailed(54) }], kind: "ok" },
  { what: "a p99 that is doubled", p99: "1.3x", wave: [{ release: r2, requests: 1200, ms: tailed(212) }], others: [{ release: r1, requests: 3600, ms: tailed(106) }], kind: "failed", because: /p99 2\d\d ms, limit 1[34]\d ms \(1.3 × 10\d ms of the others\): 1,200 requests on web-1/ },
  { what: "a p99 that is doubled by one slow request of few", p99: "1.3x", wave: [{ release: r2, requests: 100, ms: [...Array.from({ length: 97 }, () => 20), 212, 212, 212] }], others: [{ release: r1, requests: 3600, ms: tailed(106) }], kind: "inconclusive", because: /too few to tell/ },
  { what: "a ratio of half a millisecond", p99: "1.3x", wave: [{ release: r2, requests: 9000, ms: [1.2] }], others: [{ release: r1, requests: 9000, ms: [0.7] }], kind: "ok" },
  { what: "a latency with nothing beside it and no past", p99: "1.3x", wave: [{ release: r2, requests: 1000 }], kind: "inconclusive", because: /nothing to compare/ },
  { what: "its own past, where nobody else runs the release before", p99: "1.3x", wave: [{ release: r1, requests: 5000, ms: [50], sinceMs: -9_000_000 }, { release: r2, requests: 1000, ms: [200] }], kind: "failed", because: /of before\)/ },
  { what: "its own past, which was no better", p99: "1.3x", wave: [{ release: r1, requests: 5000, ms: [50], sinceMs: -9_000_000 }, { release: r2, requests: 1000, ms: [51] }], kind: "ok" },
  { what: "a latency below a time", p99: "250ms", wave: [{ release: r2, requests: 100, ms: [200] }], kind: "ok" },
  { what: "a latency beyond a time", p99: "250ms", wave: [{ release: r2, requests: 400, ms: [900] }], kind: "failed", because: /p99 \d+ ms, limit 250 ms: 400 requests on web-1/ },
  { what: "a latency beyond a time, of too few", p99: "250ms", wave: [{ release: r2, requests: 99, ms: [900] }], kind: "inconclusive", because: /p99: 99 of at least 100 requests were measured on web-1/ },
  { what: "a latency below a time, of too few", p99: "250ms", wave: [{ release: r2, requests: 99, ms: [20] }], kind: "inconclusive" },
  { what: "a latency beyond a time that the others are beyond as well", p99: "250ms", wave: [{ release: r2, requests: 400, ms: [900] }], others: [{ release: r1, requests: 400, ms: [900] }], kind: "inconclusive", because: /but the others have/ },
  { what: "requests that hang, though all that ended were fast", p99: "250ms", wave: [{ release: r2, requests: 1000, ms: [20], waiting: [60, 8000] }], kind: "failed", because: /p99 [78]\d{3} ms/ },
  { what: "nothing but requests that hang", p99: "1.3x", wave: [{ release: r2, requests: 0, waiting: [200, 8000] }], others: [{ release: r1, requests: 1000 }], kind: "failed" },
  { what: "as many that take long beside it", p99: "1.3x", wave: [{ release: r2, requests: 1000, waiting: [60, 8000] }], others: [{ release: r1, requests: 3000, waiting: [180, 8000] }], kind: "ok" },
  { what: "good errors and bad latency", errors: "1%", p99: "100ms", wave: [{ release: r2, requests: 400, ms: [900] }], kind: "failed", because: /^p99/ },
  { what: "bad errors and too few latencies beside it", errors: "1%", p99: "1.3x", wave: [{ release: r2, requests: 400, errors: 100 }], kind: "failed", because: /^errors 25 %/ },
];

const sinceMs = 1000;

/** Nothing had been measured when the window began; then all of it, past the warm-up. */
function judge({ errors, p99, services }: Pick<Row, "errors" | "p99" | "services">, beats: readonly Beat[], before: readonly Beat[] = []): GateVerdict {
  let now = sinceMs;
  const window = new RequestWindow(() => now);
  const question = { wave: ["web-1", "billing-1"], release: r2, before: r1, sinceMs };
  window.read(question, before);
  now += 60_000;
  const windows = window.read(question, beats);
  const limits = { errors: errors === undefined ? null : parseErrorLimit(errors), p99: p99 === undefined ? null : parseLatencyLimit(p99), minRequests: 100, services: services ?? null };
  const judged = judgeRequests(windows, limits);
  return verdictOf(judged, judged.length === 0 ? "nothing was measured" : null);
}

describe("a wave of one process beside one that runs the release before", () => {
  for (const { what, wave, others, kind, because, ...limits } of table) {
    test(`with ${what} is ${kind}`, () => {
      const young = (had: readonly Had[] = []): Had[] => had.map((one) => ({ sinceMs: sinceMs + 1, ...one }));
      const beats = [measuredBeat("web-1", young(wave)), ...(others === undefined ? [] : [measuredBeat("web-2", young(others))])];
      // What is compared by latency was warm before.
      const cold = beats.map((beat) => measuredBeat(beat.target, beat.measured!.releases.map(({ release, sinceMs: since }) => ({ release, requests: 0, sinceMs: since }))));
      const verdict = judge(limits, beats, cold);
      assert.equal(verdict.kind, kind, verdict.because ?? "");
      if (because !== undefined) assert.match(verdict.because ?? "", because);
      assert.equal(verdict.because === null, kind === "ok");
    });
  }
});

describe("a finding", () => {
  test("names metric, value, limit, sample count and process", () => {
    const verdict = judge({ errors: "1%" }, [measuredBeat("web-1", [{ release: r2, requests: 1226, errors: 38, sinceMs: 2000 }])]);
    assert.deepEqual(verdict, {
      kind: "failed",
      findings: [{ metric: "errors", value: 38 / 1226, limit: 0.01, samples: 1226, on: "web-1" }],
      because: "errors 3.1 %, limit 1 %: 38 of 1,226 requests on web-1",
    });
  });
});

describe("services", () => {
  const one = (target: string, requests: number, errors: number): Beat => measuredBeat(target, [{ release: r2, requests, errors, sinceMs: 2000 }]);

  test("are judged each on its own: one that is well does not hide another", () => {
    const verdict = judge({ errors: "1%" }, [one("web-1", 100_000, 0), one("billing-1", 200, 40)]);
    assert.equal(verdict.kind, "failed");
    assert.match(verdict.because!, /billing-1/);
  });

  test("that nobody ever asks have nothing to judge, if another has", () => {
    assert.equal(judge({ errors: "1%" }, [one("web-1", 1000, 0), one("billing-1", 0, 0)]).kind, "ok");
    assert.equal(judge({ errors: "1%" }, [one("web-1", 0, 0), one("billing-1", 0, 0)]).kind, "inconclusive");
  });

  test("that were asked only whether they are ready have nothing to judge either, nor those that are not named", () => {
    assert.equal(judge({ errors: "1%" }, [one("web-1", 1000, 0), one("billing-1", 10, 8)]).kind, "ok");
    assert.equal(judge({ errors: "1%" }, [one("web-1", 1000, 0), one("billing-1", 11, 8)]).kind, "inconclusive");
    assert.equal(judge({ errors: "1%", services: ["web"] }, [one("web-1", 1000, 0), one("billing-1", 11, 8)]).kind, "ok");
  });

  test("that were asked before and are not now have no data", () => {
    const quiet = measuredBeat("billing-1", [{ release: r1, requests: 500 }, { release: r2, requests: 0, sinceMs: 2000 }]);
    assert.match(judge({ errors: "1%" }, [one("web-1", 1000, 0), quiet]).because!, /0 of at least 100 requests were measured on billing-1/);
  });

  test("whose wave does not run the release yet have no data", () => {
    const verdict = judge({ errors: "1%" }, [one("web-1", 1000, 0), measuredBeat("billing-1", [{ release: r1, requests: 500 }])]);
    assert.deepEqual([verdict.kind, verdict.because], ["inconclusive", "errors: 0 of at least 100 requests were measured on billing"]);
  });

  test("outside of the wave are not judged", () => {
    assert.equal(judge({ errors: "1%" }, [one("web-1", 1000, 0), one("mail-1", 1000, 900)]).kind, "ok");
  });
});

describe("an error limit of 1 %", () => {
  /** Numerical Recipes' generator: the same numbers every time. */
  function random(seed: number): () => number {
    let x = seed;
    return () => (x = (Math.imul(x, 1664525) + 1013904223) >>> 0) / 2 ** 32;
  }
  const bakes = 200;
  function verdictsOf(share: number): Record<GateVerdict["kind"], number> {
    const next = random(42);
    const ends = { ok: 0, failed: 0, inconclusive: 0 };
    for (let bake = 0; bake < bakes; bake++) {
      let errors = 0;
      let kind: GateVerdict["kind"] = "inconclusive";
      // Sixty looks, as a wave bakes; the first that fails ends it.
      for (let look = 1; look <= 60 && kind !== "failed"; look++) {
        for (let i = 0; i < 20; i++) if (next() < share) errors++;
        kind = judge({ errors: "1%" }, [measuredBeat("web-1", [{ release: r2, requests: look * 20, errors, sinceMs: 2000 }])]).kind;
      }
      ends[kind]++;
    }
    return ends;
  }

  test("takes hardly any release back that is just within it, for all that it looks sixty times", () => {
    const { failed } = verdictsOf(0.009);
    assert.ok(failed <= bakes * 0.03, String(failed));
  });

  test("takes every release back that fails for one request in twenty", () => {
    assert.equal(verdictsOf(0.05).failed, bakes);
  });
});

export interface TestResult {
  readonly title: string;
  readonly ok: boolean;
  readonly error?: string;
}

/** What a process must do that runs a commit: the tests that pass after each cold start of it. */
export interface Expectation {
  readonly passing: readonly string[];
  /** Those of them that fail on the commit before. */
  readonly telling: readonly string[];
}

/** Why a case tells nothing. */
export interface Ineligible {
  readonly because: string;
}

interface Ran {
  readonly results: readonly TestResult[];
  readonly problem: string | null;
}

/** `cold`: several cold starts of the commit; `former`: the same tests on the code before it. */
export function expect(cold: readonly Ran[], former: Ran): Expectation | Ineligible {
  const red = new Set(numbered(former.results).filter(({ ok }) => !ok).map(({ title }) => title));
  for (const run of cold) {
    if (run.problem !== null) return { because: `a cold start on it does not run its tests: ${firstLine(run.problem)}` };
    if (run.results.length === 0) return { because: "its tests report nothing" };
    // What is red before and after alike is the machine's, or the Node's: it tells nothing of the commit, and is left out.
    const failing = numbered(run.results).find(({ ok, title }) => !ok && !red.has(title));
    if (failing !== undefined) return { because: `a cold start on it fails: ${failing.title}: ${firstLine(failing.error ?? "")}` };
  }
  const runs = cold.map(({ results }) => new Set(numbered(results).filter(({ ok }) => ok).map(({ title }) => title)));
  const passing = [...runs[0]!].filter((title) => runs.every((titles) => titles.has(title)));
  if (runs.every((titles) => titles.size === 0)) return { because: `a cold start on it fails: ${cold[0]!.results[0]!.title}: ${firstLine(cold[0]!.results[0]!.error ?? "")}` };
  const before = new Set(numbered(former.results).filter(({ ok }) => ok).map(({ title }) => title));
  const telling = passing.filter((title) => !before.has(title));
  return telling.length === 0 ? { because: "its tests pass on the code before it, too" } : { passing, telling };
}

/** Stands for all tests of a run that broke. */
const wholeRun = "(all)";

/** Tests that should have passed and did not, with what they said. */
export function failuresOf({ passing }: Expectation, run: Ran): readonly TestResult[] {
  if (run.problem !== null) return [{ title: wholeRun, ok: false, error: run.problem }];
  const found = new Map(numbered(run.results).map((one) => [one.title, one]));
  return passing.flatMap((title) => {
    const one = found.get(title);
    return one?.ok === true ? [] : [one ?? { title, ok: false, error: "it did not run" }];
  });
}

/** Tests may have the same title: they are told apart by their order. */
function numbered(results: readonly TestResult[]): readonly TestResult[] {
  const seen = new Map<string, number>();
  return results.map((one) => {
    const count = (seen.get(one.title) ?? 0) + 1;
    seen.set(one.title, count);
    return count === 1 ? one : { ...one, title: `${one.title} (${count})` };
  });
}

export function firstLine(text: string): string {
  return (text.split("\n")[0] ?? "").slice(0, 200);
}

/**
 * What became of one case: live and as a cold start would be; said to be live, and not so; not live, with a reason, and
 * a new process asked for; or nothing that tells, because the tests cannot be run in such a way.
 */
export type Score = "liveCorrect" | "wrong" | "replaced" | "harness";

export interface Scored {
  readonly score: Score;
  readonly because: string;
}

/** What is known after an update that was said to be live. */
export interface LiveEvidence {
  /** What was found disturbed in the process; null: same process, same memory, same modules. */
  readonly disturbed: string | null;
  /** True if what is live, read back, is what was released. */
  readonly isAttested: boolean;
  readonly fresh: readonly string[];
  readonly failures: readonly TestResult[];
  /** Asked only if there are failures: true if the same happens in a process that started cold and took the same course. */
  readonly failsCold: boolean;
}

export function scoreLive({ disturbed, isAttested, fresh, failures, failsCold }: LiveEvidence): Scored {
  if (!isAttested) return { score: "wrong", because: "what is live, read back, is not what was released" };
  const [first] = failures;
  // Tests that end the process the second time, without any update, too, take its memory with them.
  const endsCold = failsCold && first?.title === wholeRun;
  if (disturbed !== null && !endsCold) return { score: "wrong", because: disturbed };
  if (fresh.length > 0) return { score: "harness", because: `its tests load modules beside the live ones: ${fresh.join(", ")}` };
  if (first === undefined) return { score: "liveCorrect", because: "" };
  if (failsCold) return { score: "harness", because: `its tests fail the second time in one process, cold, too: ${first.title}` };
  return { score: "wrong", because: `${failures.length} failed: ${first.title}: ${firstLine(first.error ?? "")}` };
}

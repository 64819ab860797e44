import { readFileSync } from "node:fs";
import path from "node:path";
import type { ReleaseId } from "@midflight/protocol";
import { startSystem, type System } from "@midflight/testkit";
import { layLibrary, runPlain, type ReplayCase } from "./open-case.ts";
import { lockFiles } from "./manifest.ts";
import { namesWhat, type Reason } from "./reason.ts";
import { hostEnvironment, hostFile, hostReady, speakTo, type ReplayProcess, type TestOrder } from "./replay-process.ts";
import { failuresOf, firstLine, scoreLive, type Scored } from "./score.ts";
import { writeLibrary } from "./test-directory.ts";

export interface LiveScored extends Scored {
  readonly rung: string;
  readonly reasons: readonly Reason[];
  /** Of a replacement: its reason names a declaration or a file. */
  readonly isExplained: boolean;
  readonly planMs: number | null;
  readonly pauseMs: number | null;
}

const none = { rung: "none", reasons: [], isExplained: true, planMs: null, pauseMs: null } as const;

/**
 * One process from the release before a commit to the commit, by the way that every deploy takes: released, signed,
 * materialised, started with the agent, planned, published, swapped, read back. Then the commit's tests in that process.
 */
export async function replayLive(one: ReplayCase): Promise<LiveScored> {
  const files = Object.fromEntries([...one.before.files].map(([file, bytes]) => [file, bytes.toString("utf8")]));
  const system = await startSystem({ app: "replay", code: ["."], files, run: `node ${hostFile}`, ready: hostReady, link: path.dirname(one.installed), env: hostEnvironment(one.setup) });
  let process: ReplayProcess | null = null;
  try {
    writeLibrary(system.projectDir, one.before, lockOf(one, "before"));
    const boot = await system.publish();
    const release = await system.materialise(boot.release);
    // The time in which errors take a release back is for apps that serve: tests make errors on purpose.
    process = await speakTo(await system.start({ probationMs: 0 }));
    await process.ask("load");
    if (one.warmUp !== null) await process.runTests({ ...one.warmUp, directory: one.layTests("before", "live-warm-up", release) });
    await process.ask("hold");
    return await update(one, system, process, release);
  } catch (error) {
    return { ...none, score: "harness", because: firstLine(error instanceof Error ? error.message : String(error)) };
  } finally {
    await process?.close();
    await system.close();
  }
}

async function update(one: ReplayCase, system: System, process: ReplayProcess, release: string): Promise<LiveScored> {
  writeLibrary(system.projectDir, one.after, lockOf(one, "after"), one.before);
  const tree = await system.collect();
  const startedAt = performance.now();
  const outcome = await system.publisher.publish(tree);
  const planMs = performance.now() - startedAt;
  if (outcome.kind === "unchanged") return { ...none, score: "harness", because: "nothing of what is released differs" };
  const reasons = outcome.verdicts.map(({ unit, reason, evidence, rung }) => ({ unit, reason, evidence, rung })).filter(({ rung }) => outcome.rung !== "replace" || rung === "replace");
  const about = { rung: outcome.rung, reasons, planMs, pauseMs: null, isExplained: reasons.some(namesWhat) };
  if (outcome.kind === "refused") return { ...about, score: "replaced", because: outcome.reason };
  const report = await system.report("the process reports", ({ counter }) => counter === outcome.counter);
  if (report.outcome.kind !== "swapped") return { ...about, score: "replaced", because: `the agent: ${report.outcome.reason}`, isExplained: true };

  const run = await process.runTests({ ...one.order, directory: one.layTests("after", "live-tests", release) });
  const failures = failuresOf(one.expectation, run);
  const evidence = {
    disturbed: await process.disturbed(),
    isAttested: report.from.pid === process.pid && report.outcome.release === outcome.release && (await isLive(system, outcome.release)),
    fresh: run.fresh,
    failures,
    failsCold: failures.length > 0 && (await failsCold(one, failures.map(({ title }) => title))),
  };
  return { ...about, ...scoreLive(evidence), pauseMs: report.outcome.pauseMs };
}

/** What the process tells of itself after its report, once more: that it runs the release, read back. */
async function isLive(system: System, release: ReleaseId): Promise<boolean> {
  const beat = await system.beat("the process tells what is live", ({ target, live }) => target === "web-1" && live === release).catch(() => null);
  return beat !== null;
}

/** The same course without an update: the tests of the commit before, then its own, in a process that started on it. */
async function failsCold(one: ReplayCase, titles: readonly string[]): Promise<boolean> {
  const library = layLibrary(one.directory, "again", one.after, one.installed);
  const orders: TestOrder[] = [
    ...(one.warmUp === null ? [] : [{ ...one.warmUp, directory: one.layTests("before", "again-warm-up", library) }]),
    { ...one.order, directory: one.layTests("after", "again-tests", library) },
  ];
  const run = (await runPlain(library, one.setup, orders)).at(-1)!;
  const failing = new Set(failuresOf(one.expectation, run).map(({ title }) => title));
  return run.problem !== null || titles.every((title) => failing.has(title));
}

function lockOf({ directory, before, after }: ReplayCase, of: "before" | "after"): Buffer | null {
  const { lock } = of === "before" ? before : after;
  return lock === null || !lockFiles.includes(lock.path) ? null : readFileSync(path.join(directory, of, lock.path));
}

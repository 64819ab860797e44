import { existsSync, mkdirSync, readFileSync, rmSync } from "node:fs";
import path from "node:path";
import { installDependencies } from "./dependencies.ts";
import type { Commit, History } from "./git-history.ts";
import { isTestFile } from "./layout.ts";
import { readLibraryTree, type LibraryTree } from "./library-tree.ts";
import { dependenciesDiffer, entryUnit, readManifest, type Manifest } from "./manifest.ts";
import { startPlain, testsWithinMs, type HostSetup, type TestOrder, type TestRun } from "./replay-process.ts";
import { groupTests, readMochaOptions } from "./runners.ts";
import { expect, firstLine, type Expectation, type Ineligible } from "./score.ts";
import { linkInstalled, unitsOf, writeLibrary, writeTestDirectory } from "./test-directory.ts";

/** Whether the packages that are installed may differ, too: then nothing but a new process will do. */
export type CaseClass = "code" | "dependencies";

/** A commit whose own tests tell it from the one before, with all that is needed to run either. */
export interface ReplayCase {
  readonly commit: Commit;
  readonly class: CaseClass;
  readonly directory: string;
  readonly before: LibraryTree;
  readonly after: LibraryTree;
  readonly setup: HostSetup;
  readonly installed: string;
  /** The tests of this commit that are run, as a directory that was laid for one process sees them. */
  readonly order: Omit<TestOrder, "directory">;
  /** The tests of the commit before: what a process is put under load with. Null if they cannot be run. */
  readonly warmUp: Omit<TestOrder, "directory"> | null;
  readonly expectation: Expectation;
  /** Lays one commit's tests beside a process's modules; the directory's path. */
  layTests(of: "before" | "after", name: string, library: string): string;
}

const coldStarts = 3;

/** What of a commit can be seen without running it: it changes modules of the library and tests. */
export function touchesBoth(commit: Commit): boolean {
  return commit.changed.some((file) => /\.[mc]?[jt]s$/.test(file) && /test|spec/i.test(file)) && commit.changed.some((file) => /\.[mc]?[jt]s$/.test(file) && !/test|spec/i.test(file));
}

/** Makes a case of a commit, in a directory of its own; null if it does not touch both, `because` if it tells nothing. */
export async function openCase(history: History, commit: Commit, directory: string): Promise<ReplayCase | Ineligible | null> {
  if (!touchesBoth(commit)) return null;
  const before = await readLibraryTree(history, commit.parent);
  const after = await readLibraryTree(history, commit.id);
  if (!commit.changed.some((file) => before.layout.isUnit(file) || after.layout.isUnit(file))) return null;
  const tests = commit.changed.filter((file) => after.layout.isTest(file) && after.paths.has(file));
  const texts = await textsOf(history, commit.id, tests);
  const files = new Map([...texts].filter(([file, text]) => isTestFile(file, text)));
  if (files.size === 0) return null;

  const manifest = manifestOf(after);
  const groups = groupTests(files, manifest);
  if (typeof groups === "string") return { because: `no adapter: ${groups}` };
  const former = manifestOf(before);
  const units = [...new Set([...unitsOf(before), ...unitsOf(after)])];
  const entry = entryUnit(former, (file) => before.files.has(file));
  if (entry === null) return { because: "no module that a process would start from is in the repository" };
  const installed = await installDependencies(manifest, commit.date);
  if (installed.kind === "failed") return { because: `its dependencies cannot be installed: ${installed.because}` };

  mkdirSync(directory, { recursive: true });
  const checkouts = { before: path.join(directory, "before"), after: path.join(directory, "after") };
  await history.checkOut(commit.parent, checkouts.before);
  await history.checkOut(commit.id, checkouts.after);
  const read = (file: string): string | undefined => (existsSync(path.join(checkouts.after, file)) ? readFileSync(path.join(checkouts.after, file), "utf8") : undefined);
  const order = { groups, mocha: readMochaOptions(manifest, read) };
  const setup: HostSetup = { entry, units, isEsm: entry.endsWith(".mjs") || (former.type === "module" && !entry.endsWith(".cjs")) };
  const layTests: ReplayCase["layTests"] = (of, name, library) => {
    const target = path.join(directory, name);
    writeTestDirectory(target, checkouts[of], of === "before" ? before : after, library, installed.directory);
    return target;
  };

  const runCold = async (tree: LibraryTree, name: string): Promise<TestRun> => {
    const library = layLibrary(directory, name, tree, installed.directory);
    const laid = layTests("after", `${name}-tests`, library);
    const run = await runPlain(library, { ...setup, entry: entryUnit(manifestOf(tree), (file) => tree.files.has(file)) ?? entry }, [{ ...order, directory: laid }]);
    for (const folder of [library, laid]) rmSync(folder, { recursive: true, force: true });
    return run.at(-1)!;
  };
  const startedAt = performance.now();
  const first = await runCold(after, "cold-0");
  // What hangs where it did not is found out in ten times the time that it took.
  const withinMs = Math.min(testsWithinMs, 20_000 + 10 * (performance.now() - startedAt));
  if (first.problem !== null || !first.results.some(({ ok }) => ok)) return expect([first], first) as Ineligible;
  const onFormer = await runCold(before, "former");
  const cold = [first];
  if (!("because" in expect(cold, onFormer))) for (let i = 1; i < coldStarts; i += 1) cold.push(await runCold(after, `cold-${i}`));
  const expectation = expect(cold, onFormer);
  if ("because" in expectation) return expectation;

  /** Whether the tests run after the former ones in one process that nothing updates. */
  const runsAfter = async (warmUp: Omit<TestOrder, "directory">): Promise<boolean> => {
    const library = layLibrary(directory, "twice", after, installed.directory);
    const laid = [layTests("before", "twice-warm-up", library), layTests("after", "twice-tests", library)] as const;
    const run = await runPlain(library, setup, [{ ...warmUp, directory: laid[0] }, { ...order, withinMs, directory: laid[1] }]);
    for (const folder of [library, ...laid]) rmSync(folder, { recursive: true, force: true });
    return run.length === 2 && run.at(-1)!.problem === null;
  };
  const warmTexts = await textsOf(history, commit.parent, tests.filter((file) => before.paths.has(file)));
  const warmGroups = groupTests(new Map([...warmTexts].filter(([file, text]) => isTestFile(file, text))), former);
  const warmUp = typeof warmGroups === "string" || warmGroups.length === 0 ? null : { groups: warmGroups, mocha: order.mocha, withinMs };
  return {
    commit, directory, before, after, setup, installed: installed.directory, order: { ...order, withinMs }, expectation, layTests,
    class: before.lock?.digest !== after.lock?.digest || dependenciesDiffer(former, manifest) ? "dependencies" : "code",
    // Tests that end a process which has run the former ones are run in one that has not.
    warmUp: warmUp !== null && (await runsAfter(warmUp)) ? warmUp : null,
  };
}

function manifestOf(tree: LibraryTree): Manifest {
  return readManifest(tree.files.get("package.json")?.toString("utf8"));
}

async function textsOf(history: History, commit: string, files: readonly string[]): Promise<ReadonlyMap<string, string>> {
  return new Map([...(await history.read(commit, files))].map(([file, bytes]) => [file, bytes.toString("utf8")]));
}

/** A library as it lies on disk, uninstrumented, with its packages. */
export function layLibrary(directory: string, name: string, tree: LibraryTree, installed: string): string {
  const library = path.join(directory, name);
  mkdirSync(library, { recursive: true });
  writeLibrary(library, tree, null);
  linkInstalled(library, installed);
  return library;
}

/** Starts a library cold and runs test after test in it. */
export async function runPlain(library: string, setup: HostSetup, orders: readonly TestOrder[]): Promise<readonly TestRun[]> {
  const runs: TestRun[] = [];
  let process: Awaited<ReturnType<typeof startPlain>> | null = null;
  try {
    process = await startPlain(library, setup);
    await process.ask("load");
    for (const order of orders) runs.push(await process.runTests(order));
  } catch (error) {
    runs.push({ results: [], fresh: [], problem: firstLine((error as Error).message) });
  } finally {
    await process?.close();
  }
  return runs;
}

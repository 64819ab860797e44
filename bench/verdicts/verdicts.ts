import { planTransition, type AppShape } from "@midflight/planner";
import type { Rung } from "@midflight/protocol";
import { sha256 } from "@midflight/trust";
import { bar, type Bench, type BenchOptions, type Figures, type Findings } from "../bench.ts";
import { openHistory, type Commit, type History } from "../replay/git-history.ts";
import { collectLibrary, createLibraryCollector, readLibraryTree, type LibraryTree } from "../replay/library-tree.ts";
import { dependenciesDiffer, readManifest } from "../replay/manifest.ts";
import { namesWhat } from "../replay/reason.ts";
import { share, spreadOf, round } from "../statistics.ts";

/** So many commits are looked at for each that is wanted. */
const scannedPerWanted = 40;

interface Verdict {
  readonly commit: string;
  readonly date: string;
  readonly subject: string;
  readonly rung: Rung | "unplannable";
  /** Installed packages may differ, which needs a new process whatever the code says. */
  readonly isDependencyChange: boolean;
  readonly planMs: number;
  readonly reasons: readonly { readonly unit: string; readonly rung: Rung; readonly reason: string; readonly evidence: readonly string[] }[];
}

export const verdicts: Bench = {
  name: "verdicts",
  summary: "plans only: the rung of each of the last commits of a repository that change its library (--repo DIR --limit N)",
  needsRepository: true,
  async run({ repository, limit, say }: BenchOptions): Promise<Findings> {
    if (repository === null) throw new Error("--repo DIR names a clone whose commits are planned");
    const history = await openHistory(repository);
    const wanted = limit ?? 100;
    const found: Verdict[] = [];
    for (const commit of await history.commits(wanted * scannedPerWanted)) {
      if (found.length >= wanted) break;
      const verdict = await judge(history, commit);
      if (verdict === null) continue;
      found.push(verdict);
      say(`${commit.id.slice(0, 10)} ${verdict.rung.padEnd(11)} ${commit.subject.slice(0, 60)}${verdict.rung === "replace" ? `\n    ${verdict.reasons.filter(({ rung }) => rung === "replace").map(({ unit, reason }) => `${unit}: ${reason}`).join("\n    ")}` : ""}`);
    }
    return summarise(found);
  },
};

/** Null if the commit leaves the library's modules as they are. */
async function judge(history: History, commit: Commit): Promise<Verdict | null> {
  if (!commit.changed.some((file) => /\.[mc]?[jt]s$/.test(file))) return null;
  const before = await readLibraryTree(history, commit.parent);
  const after = await readLibraryTree(history, commit.id);
  if (!commit.changed.some((file) => before.layout.isUnit(file) || after.layout.isUnit(file))) return null;
  const shapes = await collectBoth(before, after);
  const about = { commit: commit.id, date: commit.date, subject: commit.subject, isDependencyChange: before.lock?.digest !== after.lock?.digest || dependenciesDiffer(manifestOf(before), manifestOf(after)) };
  if (shapes instanceof Error) return { ...about, rung: "unplannable", planMs: 0, reasons: [{ unit: "", rung: "replace", reason: shapes.message.split("\n")[0] ?? "", evidence: [] }] };
  const startedAt = performance.now();
  const plan = planTransition({ ...shapes, hash: sha256 });
  const planMs = round(performance.now() - startedAt);
  return { ...about, rung: plan.rung, planMs, reasons: plan.verdicts.map(({ unit, rung, reason, evidence }) => ({ unit, rung, reason, evidence })) };
}

function manifestOf(tree: LibraryTree): ReturnType<typeof readManifest> {
  return readManifest(tree.files.get("package.json")?.toString("utf8"));
}

async function collectBoth(before: LibraryTree, after: LibraryTree): Promise<{ readonly boot: AppShape; readonly target: AppShape } | Error> {
  try {
    const collector = createLibraryCollector();
    const boot = (await collectLibrary(collector, before)).shape;
    return { boot, target: (await collectLibrary(collector, after)).shape };
  } catch (error) {
    return error instanceof Error ? error : new Error(String(error));
  }
}

function summarise(found: readonly Verdict[]): Findings {
  const planned = found.filter(({ rung }) => rung !== "unplannable");
  const own = planned.filter(({ isDependencyChange }) => !isDependencyChange);
  const live = own.filter(({ rung }) => rung !== "replace");
  const unexplained = planned.filter(({ rung, reasons }) => rung === "replace" && !reasons.some((reason) => reason.rung === "replace" && namesWhat(reason)));
  const count = (list: readonly Verdict[]): Figures => Object.fromEntries(["patch", "redefine", "reload", "replace", "unplannable"].map((rung) => [rung, list.filter((one) => one.rung === rung).length]));
  return {
    figures: {
      commits: found.length,
      rungs: count(found),
      withoutDependencyChanges: { commits: own.length, rungs: count(own), live: share(live.length, own.length) },
      planMs: spreadOf(planned.map(({ planMs }) => planMs)),
      verdicts: found,
    },
    rivals: {},
    ratios: {},
    bars: [bar("commits that were planned", planned.length, ">=", 1), bar("replacements whose reason names nothing", unexplained.length, "==", 0)],
    voidBecause: null,
  };
}

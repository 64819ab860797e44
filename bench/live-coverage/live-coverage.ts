import { mkdtempSync, realpathSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { bar, type Bench, type BenchOptions, type Figures, type Findings } from "../bench.ts";
import { openHistory } from "../replay/git-history.ts";
import { openCase, type CaseClass, type ReplayCase } from "../replay/open-case.ts";
import { replayLive, type LiveScored } from "../replay/replay-live.ts";
import { replayRivals, type RivalName } from "../replay/rivals.ts";
import type { Score, Scored } from "../replay/score.ts";
import { share } from "../statistics.ts";

/** So many commits are looked at for each case that is wanted. */
const scannedPerWanted = 60;
const scores: readonly Score[] = ["liveCorrect", "wrong", "replaced", "harness"];

interface Verdict {
  readonly commit: string;
  readonly date: string;
  readonly subject: string;
  readonly class: CaseClass;
  readonly tests: number;
  readonly telling: number;
  readonly midflight: LiveScored;
  readonly rivals: Readonly<Record<RivalName, Scored>>;
}

interface Skipped {
  readonly commit: string;
  readonly subject: string;
  readonly because: string;
}

export const liveCoverage: Bench = {
  name: "live-coverage",
  summary: "replays commits of a repository live and runs their own tests in the updated process, beside LiveEdit, cache purge and restart (--repo DIR --limit N)",
  needsRepository: true,
  async run({ repository, limit, isQuick, say }: BenchOptions): Promise<Findings> {
    if (repository === null) throw new Error("--repo DIR names a clone whose commits are replayed");
    const history = await openHistory(repository);
    const wanted = limit ?? (isQuick ? 3 : 20);
    const folder = mkdtempSync(path.join(realpathSync(tmpdir()), "midflight-replay-"));
    const found: Verdict[] = [];
    const skipped: Skipped[] = [];
    try {
      for (const commit of await history.commits(wanted * scannedPerWanted)) {
        if (found.length >= wanted) break;
        const directory = path.join(folder, commit.id.slice(0, 12));
        const { id, subject } = commit;
        try {
          const one = await openCase(history, commit, directory);
          if (one === null) continue;
          if ("because" in one) {
            skipped.push({ commit: id, subject, because: one.because });
            say(`${id.slice(0, 10)} tells nothing: ${subject.slice(0, 50)}: ${one.because.slice(0, 140)}`);
            continue;
          }
          const verdict = await judge(one);
          found.push(verdict);
          say(describe(verdict));
        } catch (error) {
          skipped.push({ commit: id, subject, because: `it cannot be read: ${(error as Error).message.slice(0, 200)}` });
          say(`${id.slice(0, 10)} cannot be read: ${(error as Error).message.slice(0, 200)}`);
        } finally {
          rmSync(directory, { recursive: true, force: true });
        }
      }
    } finally {
      rmSync(folder, { recursive: true, force: true });
    }
    return summarise(found, skipped);
  },
};

async function judge(one: ReplayCase): Promise<Verdict> {
  const { commit, expectation } = one;
  const midflight = await replayLive(one);
  const rivals = await replayRivals(one);
  return { commit: commit.id, date: commit.date, subject: commit.subject, class: one.class, tests: expectation.passing.length, telling: expectation.telling.length, midflight, rivals };
}

function describe({ commit, subject, class: kind, midflight, rivals }: Verdict): string {
  const others = Object.entries(rivals).map(([name, { score }]) => `${name} ${score}`).join(", ");
  const reasons = midflight.score === "liveCorrect" ? [] : [midflight.because, ...midflight.reasons.map(({ unit, reason }) => `${unit}: ${reason}`)].slice(0, 6);
  return `${commit.slice(0, 10)} ${midflight.score} (${midflight.rung}${kind === "dependencies" ? ", dependencies" : ""}; ${others}): ${subject.slice(0, 60)}${reasons.map((reason) => `\n    ${reason}`).join("")}`;
}

function tally(list: readonly Scored[]): Figures {
  const count = (score: Score): number => list.filter((one) => one.score === score).length;
  return { eligible: list.length, ...Object.fromEntries(scores.map((score) => [score, count(score)])), shares: Object.fromEntries(scores.map((score) => [score, share(count(score), list.length)])) };
}

export function summarise(found: readonly Verdict[], skipped: readonly Skipped[]): Findings {
  const ours = found.map(({ midflight }) => midflight);
  const code = found.filter((one) => one.class === "code");
  const count = (list: readonly Scored[], score: Score): number => list.filter((one) => one.score === score).length;
  const names = [...new Set(found.flatMap(({ rivals }) => Object.keys(rivals) as RivalName[]))];
  const own = code.map(({ midflight }) => midflight);
  const covered = share(count(own, "liveCorrect"), own.length);
  const unexplained = ours.filter(({ score, isExplained }) => score === "replaced" && !isExplained).length;
  return {
    figures: {
      ...tally(ours),
      withoutDependencyChanges: tally(own),
      withDependencyChanges: tally(found.filter((one) => one.class === "dependencies").map(({ midflight }) => midflight)),
      scannedAndSkipped: skipped.length,
      cases: found.map(({ rivals, ...one }) => ({ ...one, rivals: Object.fromEntries(Object.entries(rivals).map(([name, { score, because }]) => [name, because === "" ? score : `${score}: ${because}`])) })),
      skipped,
    },
    rivals: {
      ...Object.fromEntries(names.map((name) => [name, { ...tally(found.map(({ rivals }) => rivals[name])), withoutDependencyChanges: tally(code.map(({ rivals }) => rivals[name])) }])),
      "stock HotSwap": "not applicable: the JVM's, and these are JavaScript",
    },
    ratios: Object.fromEntries(names.map((name) => [`live-correct, midflight / ${name}`, count(ours, "liveCorrect") / Math.max(1, count(found.map(({ rivals }) => rivals[name]), "liveCorrect"))])),
    bars: [
      bar("eligible cases", found.length, ">=", 1),
      bar("wrong", count(ours, "wrong"), "==", 0),
      bar("live-correct of eligible without dependency changes, %", (covered.share ?? 0) * 100, ">=", 75),
      bar("replaced without a reason that names what", unexplained, "==", 0),
    ],
    voidBecause: found.length === 0 ? "no commit of the repository tells its code from that before it, or none could be run here" : null,
  };
}

import { execFileSync } from "node:child_process";
import { availableParallelism, cpus, loadavg } from "node:os";
import { repositoryRoot } from "@midflight/testkit";

/** What the figures depend on beside the code. */
export interface Machine {
  readonly node: string;
  readonly cpu: string;
  /** Mean number of processes that wanted to run in the minute before the bench, without the bench. */
  readonly load: number;
  /** Of the code that was measured; `+` if files differ from it. */
  readonly commit: string;
}

/** To be asked before a bench begins. */
export function describeMachine(): Machine {
  return {
    node: process.versions.node,
    cpu: `${availableParallelism()} × ${cpus()[0]?.model ?? process.arch}`,
    load: loadavg()[0] ?? 0,
    commit: readCommit(),
  };
}

function readCommit(): string {
  try {
    const git = (...args: string[]): string => execFileSync("git", args, { cwd: repositoryRoot, encoding: "utf8", stdio: ["ignore", "pipe", "ignore"] }).trim();
    const isDirty = git("status", "--porcelain", "--untracked-files=no") !== "";
    return git("rev-parse", "--short=12", "HEAD") + (isDirty ? "+" : "");
  } catch {
    return "unknown";
  }
}

import { execFile } from "node:child_process";
import { promisify } from "node:util";

const execute = promisify(execFile);
/** Nobody's own settings: no signing, no hooks, no editor. */
const settings = ["-c", "user.name=Tour", "-c", "user.email=tour@example.com", "-c", "commit.gpgSign=false", "-c", "core.hooksPath=/dev/null", "-c", "init.defaultBranch=main"];

/** A repository of the tour's own, so that releases are traced to real commits. */
export interface Repository {
  commit(message: string): Promise<void>;
  /** Lines that were taken out and put in since the last commit, each with its sign. */
  changedLines(): Promise<readonly string[]>;
  isClean(): Promise<boolean>;
}

/** Null where there is no git: releases then have no commit, and all else is the same. */
export async function createRepository(folder: string, variables: Readonly<Record<string, string | undefined>>): Promise<Repository | null> {
  const env = Object.fromEntries(Object.entries(variables).filter(([name]) => !name.startsWith("GIT_")));
  const git = async (...args: readonly string[]): Promise<string> => (await execute("git", [...settings, ...args], { cwd: folder, env })).stdout;
  try {
    await git("init", "--quiet");
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "ENOENT") return null;
    throw error;
  }
  const commit = async (message: string): Promise<void> => {
    await git("add", "--all");
    await git("commit", "--quiet", "--message", message);
  };
  return {
    commit,
    changedLines: async () => {
      const diff = await git("diff", "--unified=0", "--no-color", "--no-ext-diff");
      return diff.split("\n").filter((line) => /^[-+](?![-+]{2} )/.test(line));
    },
    isClean: async () => (await git("status", "--porcelain")) === "",
  };
}

import { execFile } from "node:child_process";
import { promisify } from "node:util";

const execute = promisify(execFile);
/** Nobody's own settings: no signing, no hooks, no editor. */
const settings = ["-c", "user.name=Tour", "-c", "user.email=tour@example.com", "-c", "commit.gpgSign=false", "-c", "core.hooksPath=/dev/null", "-c", "init.defaultBranch=main"];

type Variables = Readonly<Record<string, string | undefined>>;

/** A repository of the tour's own, so that releases are traced to real commits. */
export interface Repository {
  commit(message: string): Promise<void>;
  /** Lines that were taken out and put in since the last commit, each with its sign. */
  changedLines(): Promise<readonly string[]>;
  isClean(): Promise<boolean>;
  /** The id of the newest commit. */
  head(): Promise<string>;
  /** Checks it out in an empty folder. */
  clone(folder: string): Promise<Repository>;
}

/** Null where there is no git: releases then have no commit, and all else is the same. */
export async function createRepository(folder: string, variables: Variables): Promise<Repository | null> {
  try {
    await gitIn(folder, variables)("init", "--quiet");
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "ENOENT") return null;
    throw error;
  }
  return openRepository(folder, variables);
}

export function openRepository(folder: string, variables: Variables): Repository {
  const git = gitIn(folder, variables);
  return {
    commit: async (message) => {
      await git("add", "--all");
      await git("commit", "--quiet", "--message", message);
    },
    changedLines: async () => {
      const diff = await git("diff", "--unified=0", "--no-color", "--no-ext-diff");
      return diff.split("\n").filter((line) => /^[-+](?![-+]{2} )/.test(line));
    },
    isClean: async () => (await git("status", "--porcelain")) === "",
    head: async () => (await git("rev-parse", "HEAD")).trim(),
    clone: async (into) => {
      await git("clone", "--quiet", ".", into);
      return openRepository(into, variables);
    },
  };
}

/** Without the variables by which a hook or a script points git at another repository. */
function gitIn(folder: string, variables: Variables): (...args: readonly string[]) => Promise<string> {
  const env = Object.fromEntries(Object.entries(variables).filter(([name]) => !name.startsWith("GIT_")));
  return async (...args) => (await execute("git", [...settings, ...args], { cwd: folder, env })).stdout;
}

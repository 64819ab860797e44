import { execFile, spawn } from "node:child_process";
import { mkdirSync, mkdtempSync, renameSync, rmSync, writeFileSync } from "node:fs";
import path from "node:path";
import { buffer } from "node:stream/consumers";
import { promisify } from "node:util";

const run = promisify(execFile);
const mostBytes = 1 << 30;

/** A commit and the files in which it differs from its first parent. */
export interface Commit {
  readonly id: string;
  readonly parent: string;
  /** ISO 8601, when it was committed. */
  readonly date: string;
  readonly subject: string;
  readonly changed: readonly string[];
}

/** A clone that somebody else has, with or without a work tree. Only read. */
export interface History {
  /** The newest commits first, merges and the first commit left out. */
  commits(limit: number): Promise<readonly Commit[]>;
  /** Paths of all files of a commit. */
  files(commit: string): Promise<readonly string[]>;
  /** The text of some files of a commit, by path. Files that it does not have are left out. */
  read(commit: string, paths: readonly string[]): Promise<ReadonlyMap<string, Buffer>>;
  /** Writes all files of a commit into a directory that does not exist yet. */
  checkOut(commit: string, directory: string): Promise<void>;
}

/** @throws Error if there is no repository */
export async function openHistory(repository: string): Promise<History> {
  const directory = path.resolve(repository);
  // Nothing is fetched for it, and no index of it is refreshed.
  const env = { ...process.env, GIT_OPTIONAL_LOCKS: "0", GIT_NO_LAZY_FETCH: "1", GIT_TERMINAL_PROMPT: "0" };
  const git = async (...args: string[]): Promise<Buffer> => {
    const { stdout } = await run("git", ["-c", "safe.directory=*", "-C", directory, ...args], { env, encoding: "buffer", maxBuffer: mostBytes });
    return stdout;
  };
  await git("rev-parse", "--git-dir");
  return {
    async commits(limit) {
      const out = await git("log", "--no-merges", `--max-count=${limit}`, "--no-renames", "--name-only", "-z", "--format=%x01%H%x02%P%x02%cI%x02%s%x02");
      return out.toString("utf8").split("\x01").slice(1).flatMap(parseCommit);
    },
    async files(commit) {
      return (await git("ls-tree", "-r", "-z", "--name-only", commit)).toString("utf8").split("\0").filter((name) => name !== "");
    },
    async read(commit, paths) {
      return parseBatch(paths, await askGit(["-c", "safe.directory=*", "-C", directory, "cat-file", "--batch"], env, paths.map((file) => `${commit}:${file}\n`).join("")));
    },
    async checkOut(commit, target) {
      mkdirSync(path.dirname(target), { recursive: true });
      const aside = mkdtempSync(`${target}-`);
      try {
        const archive = path.join(aside, "archive.tar");
        writeFileSync(archive, await git("archive", "--format=tar", commit));
        mkdirSync(path.join(aside, "tree"));
        await run("tar", ["-xf", archive, "-C", path.join(aside, "tree")]);
        renameSync(path.join(aside, "tree"), target);
      } finally {
        rmSync(aside, { recursive: true, force: true });
      }
    },
  };
}

async function askGit(args: readonly string[], env: NodeJS.ProcessEnv, question: string): Promise<Buffer> {
  const child = spawn("git", args, { env, stdio: ["pipe", "pipe", "ignore"] });
  child.stdin.on("error", () => undefined); // it has ended, and says so by its answer
  child.stdin.end(question);
  return await buffer(child.stdout);
}

/** Answers of `cat-file --batch`, one per question: `id type bytes`, a new line and the bytes; or a line that ends in `missing`. */
function parseBatch(paths: readonly string[], answer: Buffer): ReadonlyMap<string, Buffer> {
  const found = new Map<string, Buffer>();
  let at = 0;
  for (const file of paths) {
    const end = answer.indexOf("\n", at);
    if (end === -1) break;
    const [, type, size] = answer.toString("utf8", at, end).split(" ");
    at = end + 1;
    if (type === undefined || !/^\d+$/.test(size ?? "")) continue;
    if (type === "blob") found.set(file, answer.subarray(at, at + Number(size)));
    at += Number(size) + 1;
  }
  return found;
}

function parseCommit(record: string): Commit[] {
  const [id = "", parents = "", date = "", subject = "", names = ""] = record.split("\x02");
  const [parent = ""] = parents.split(" ");
  if (parent === "") return [];
  return [{ id, parent, date, subject, changed: names.split("\0").map((name) => name.trim()).filter((name) => name !== "") }];
}

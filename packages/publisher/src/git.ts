import { execFile } from "node:child_process";
import { createHash } from "node:crypto";
import { existsSync, lstatSync, readFileSync, readlinkSync, statSync } from "node:fs";
import path from "node:path";
import { promisify } from "node:util";
import type { Vcs } from "@midflight/protocol";
import { safeUrl } from "./environment.ts";
import { codeFolder } from "./scope.ts";

const run = promisify(execFile);

/** What git knows of a project's folder, kept between releases so that it costs no process per release. */
export interface GitRepository {
  /** The state now. Null outside a repository, without git, and before the first commit. */
  describe(): Promise<Vcs | null>;
}

interface Commit {
  readonly vcs: Omit<Vcs, "dirty">;
  /** What HEAD and the index looked like when this was read. */
  readonly key: string;
}

/** A file that proves that the work tree differs, as long as it stays as it was. */
interface Witness {
  readonly key: string;
  readonly path: string;
  readonly stamp: string;
  /** Object id in HEAD; null if HEAD does not have it. */
  readonly id: string | null;
}

/** `code`: the folders in which a file that git does not know makes the tree dirty. */
export function openGit(options: { readonly projectDir: string; readonly code: readonly string[] }): GitRepository {
  const { projectDir } = options;
  let layout: Promise<Layout | null> | null = null;
  let commit: Commit | null = null;
  let witness: Witness | null = null;

  const git = async (args: readonly string[]): Promise<string> => {
    const { stdout } = await run("git", ["--no-optional-locks", "-c", "core.fsmonitor=false", "-c", "core.quotePath=false", ...args], {
      cwd: projectDir,
      maxBuffer: 64 << 20,
      encoding: "utf8",
    });
    return stdout;
  };

  async function readLayout(): Promise<Layout | null> {
    try {
      const out = await git(["rev-parse", "--absolute-git-dir", "--git-common-dir", "--show-toplevel"]);
      const [gitDir = "", commonDir = "", top = ""] = out.split("\n");
      return { gitDir, commonDir: path.resolve(projectDir, commonDir), top };
    } catch {
      return null;
    }
  }

  async function readCommit(where: Layout, key: string): Promise<Commit | null> {
    if (commit?.key === key) return commit;
    try {
      const [log, remote] = await Promise.all([git(["log", "-1", "--format=%H%x00%an <%ae>%x00%s%x00%cI"]), git(["config", "--get", "remote.origin.url"]).catch(() => "")]);
      const [hash = "", author = "", subject = "", committedAt = ""] = log.trimEnd().split("\0");
      const branch = /^ref: refs\/heads\/(.+)$/m.exec(readText(path.join(where.gitDir, "HEAD")))?.[1] ?? null;
      const vcs = { system: "git", commit: hash, branch, author: clip(author), subject: clip(subject), committedAt, remote: safeUrl(remote.trim()) } as const;
      commit = { vcs, key };
      return commit;
    } catch {
      return null;
    }
  }

  async function isDirty(where: Layout, key: string): Promise<boolean> {
    if (witness !== null && witness.key === key && stillDiffers(witness, where.top)) return true;
    witness = null;
    // A path outside the repository cannot be asked for.
    const code = options.code.map((folder) => path.resolve(projectDir, codeFolder(folder))).filter((folder) => !path.relative(where.top, folder).startsWith(".."));
    const [tracked, untracked] = await Promise.all([
      git(["status", "--porcelain=v1", "-z", "--untracked-files=no", "--ignore-submodules=dirty"]),
      code.length === 0 ? "" : git(["ls-files", "--others", "--exclude-standard", "--full-name", "-z", "--", ...code]),
    ]);
    const [changed] = parseStatus(tracked);
    const [unknown] = untracked.split("\0").filter((name) => name !== "");
    const found = changed ?? unknown;
    if (found === undefined) return false;
    const stamp = stampOf(path.join(where.top, found));
    if (stamp !== null) witness = { key, path: found, stamp, id: changed === undefined ? null : await objectId(found) };
    return true;
  }

  async function objectId(file: string): Promise<string | null> {
    return (await git(["rev-parse", "--verify", "--quiet", `HEAD:${file}`]).catch(() => "")).trim() || null;
  }

  return {
    async describe() {
      // A process only where there is something to ask; a repository may be made at any time.
      if (!isBelowRepository(projectDir)) layout = null;
      else layout ??= readLayout();
      const where = await layout;
      if (where === null) {
        layout = null;
        return null;
      }
      const key = keyOf(where);
      const [head, dirty] = await Promise.all([readCommit(where, key), isDirty(where, key).catch(() => true)]);
      return head === null ? null : { ...head.vcs, dirty };
    },
  };
}

interface Layout {
  readonly gitDir: string;
  readonly commonDir: string;
  /** The work tree's root. */
  readonly top: string;
}

function isBelowRepository(directory: string): boolean {
  for (let at = directory; ; at = path.dirname(at)) {
    if (existsSync(path.join(at, ".git"))) return true;
    if (path.dirname(at) === at) return false;
  }
}

/** Changes with every commit, checkout, reset and `git add`. */
function keyOf({ gitDir, commonDir }: Layout): string {
  const head = readText(path.join(gitDir, "HEAD"));
  const ref = /^ref: (.+)$/m.exec(head)?.[1];
  const tip = ref === undefined ? "" : readText(path.join(commonDir, ref)) || String(stampOf(path.join(commonDir, "packed-refs")));
  return [head, tip, stampOf(path.join(gitDir, "index")), stampOf(path.join(commonDir, "config"))].join("|");
}

function stillDiffers(witness: Witness, top: string): boolean {
  const file = path.join(top, witness.path);
  const stamp = stampOf(file);
  if (stamp === witness.stamp) return true;
  // Changed since: it differs still if git would give it another name. Ids of 64 digits are of SHA-256 repositories.
  if (stamp === null || witness.id === null) return false;
  try {
    const bytes = lstatSync(file).isSymbolicLink() ? Buffer.from(readlinkSync(file)) : readFileSync(file);
    const algorithm = witness.id.length === 64 ? "sha256" : "sha1";
    return createHash(algorithm).update(`blob ${bytes.length}\0`).update(bytes).digest("hex") !== witness.id;
  } catch {
    return false;
  }
}

/** Paths of `git status --porcelain=v1 -z`; a rename is followed by the name it had. */
function parseStatus(text: string): readonly string[] {
  const fields = text.split("\0");
  const out: string[] = [];
  for (let at = 0; at < fields.length; at++) {
    const field = fields[at]!;
    if (field.length < 4) continue;
    out.push(field.slice(3));
    if (/^[RC]|^.[RC]/.test(field)) at += 1;
  }
  return out;
}

function stampOf(file: string): string | null {
  const stat = statSync(file, { bigint: true, throwIfNoEntry: false });
  return stat === undefined ? null : `${stat.size}:${stat.mtimeNs}:${stat.ctimeNs}:${stat.ino}`;
}

function readText(file: string): string {
  try {
    return readFileSync(file, "utf8");
  } catch {
    return "";
  }
}

function clip(text: string): string {
  return text.slice(0, 4_096);
}

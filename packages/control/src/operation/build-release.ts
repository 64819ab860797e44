import fs from "node:fs/promises";
import path from "node:path";
import { MidflightError } from "@midflight/protocol";
import { createScope, materialise, readFolder, requireNewDirectory, type CollectedTree, type ReleaseOutcome } from "@midflight/publisher";
import { sha256 } from "@midflight/trust";
import { scopeOf } from "../config/app-scope.ts";
import type { ResolvedConfig } from "../config/resolved-config.ts";
import { readLive } from "../live-release.ts";
import { openPublishing } from "../publishing.ts";
import type { Connection } from "./connect.ts";

export interface BuildOptions {
  /** Absolute. Absent or empty. */
  readonly directory: string;
  /** Kept with a release that is made now. */
  readonly meta: Readonly<Record<string, string>>;
}

/** A release that lies in a directory of its own, ready to be started from. */
export interface BuiltRelease {
  readonly outcome: ReleaseOutcome;
  readonly tree: CollectedTree;
  /** Name of the lock file that lies beside the release; null if the project has none of its own. */
  readonly lockFile: string | null;
  /** What is live, which building does not change; null before the first deploy. */
  readonly live: number | null;
}

/**
 * Makes a release of the project's files without making it live, and a directory to start it from: instrumented code,
 * assets, manifest and lock file, without `node_modules`.
 *
 * @throws MidflightError `USAGE` for the directory; `UNIT_SYNTAX`, `BUILD_UNRESOLVED_IMPORT`, `ENTRY_MISSING`,
 * `CODE_DIRECTORY_MISSING`, `BUILD_UNSETTLED`, `CHANNEL_HEAD_MOVED`, `DISK_FULL`, `FILE_UNREADABLE`
 */
export async function buildRelease({ registry, config, secrets }: Connection, { directory, meta }: BuildOptions): Promise<BuiltRelease> {
  requireOutsideCode(config, directory);
  await requireNewDirectory(directory);
  const { collector, publisher } = openPublishing(registry, config, secrets);
  const tree = await collector.collect(await readFolder(scopeOf(config)));
  const lock = await readLock(config.projectDir, tree);
  const outcome = await publisher.release(tree, { meta });
  const beside = new Map(lock === null ? [] : [[lock.name, lock.bytes]]);
  await materialise({ registry, releaseId: outcome.release, root: secrets.root, directory, beside, isNew: true });
  const live = await readLive(registry, config.channelName, secrets.root);
  return { outcome, tree, lockFile: lock?.name ?? null, live: live?.assign.number ?? null };
}

/** What is built must not be code of the next release. */
function requireOutsideCode(config: ResolvedConfig, directory: string): void {
  const at = path.relative(config.projectDir, directory).split(path.sep).join("/");
  if (at === ".." || at.startsWith("../") || path.isAbsolute(at)) return;
  if (createScope(scopeOf(config)).directory(at) === "outside") return;
  throw new MidflightError("USAGE", {
    what: `${directory} lies where the code or the assets are.`,
    why: "What is built there would be part of the next release.",
    state: "nothing was done.",
    fix: ["Name a directory outside of `code` and `assets`, such as ../image"],
    details: { directory },
  });
}

/** The lock file that the release was made with. That of a workspace is of no use to a part of it alone. */
async function readLock(projectDir: string, { batch: { lock } }: CollectedTree): Promise<{ readonly name: string; readonly bytes: Uint8Array } | null> {
  if (lock === null || path.dirname(lock.path) !== ".") return null;
  const bytes = await fs.readFile(path.join(projectDir, lock.path)).catch(() => null);
  if (bytes !== null && sha256(bytes) === lock.digest) return { name: lock.path, bytes };
  throw new MidflightError("BUILD_UNSETTLED", {
    what: `${lock.path} changed while it was read.`,
    why: "Dependencies are being installed.",
    state: "nothing was published; what was live stays live.",
    fix: ["run the command again in a moment"],
    retryable: true,
  });
}

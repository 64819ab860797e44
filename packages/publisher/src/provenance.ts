import path from "node:path";
import type { Provenance } from "@midflight/protocol";
import { readBuilder, readCi, readCiBranch, readEnvironment } from "./environment.ts";
import { openGit } from "./git.ts";

export interface ProvenanceReader {
  /** Where a release that is built now comes from. `meta` is passed along as it is. */
  read(meta?: Readonly<Record<string, string>>): Promise<Provenance>;
}

export interface ProvenanceOptions {
  readonly projectDir: string;
  /** Folders in which files that git does not know make the tree dirty. */
  readonly code: readonly string[];
  /** Default: the process's environment. */
  readonly environment?: Readonly<Record<string, string | undefined>>;
  readonly clock?: () => Date;
}

/** Reads git and the CI job's variables. Keeps what git said as long as HEAD, index and files stay as they are. */
export function openProvenance(options: ProvenanceOptions): ProvenanceReader {
  const environment = options.environment ?? readEnvironment();
  const git = openGit({ projectDir: path.resolve(options.projectDir), code: options.code });
  const ci = readCi(environment);
  const builder = readBuilder(ci);
  const clock = options.clock ?? (() => new Date());
  return {
    async read(meta = {}) {
      const vcs = await git.describe();
      const branch = vcs?.branch ?? (ci === null ? null : readCiBranch(environment));
      return { vcs: vcs === null ? null : { ...vcs, branch }, ci, meta, builder, builtAt: clock().toISOString() };
    },
  };
}

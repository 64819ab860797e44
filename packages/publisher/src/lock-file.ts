import { existsSync, statSync } from "node:fs";
import path from "node:path";
import { sha256 } from "@midflight/trust";
import { lockFiles } from "./scope.ts";
import type { Batch } from "./source.ts";
import { readStable, sameStamp, stampOf, type FileStamp } from "./stable-read.ts";

/**
 * Finds the dependency lock file that holds for a project: its own or, in a workspace, the nearest one above, up to
 * the repository's root. Read again only when its stamp changed.
 */
export function openLockFile(projectDir: string): () => Batch["lock"] {
  const directories = ancestors(projectDir);
  let last: { readonly path: string; readonly stamp: FileStamp; readonly lock: Batch["lock"] } | null = null;
  return () => {
    for (const directory of directories) {
      for (const name of lockFiles) {
        const file = path.join(directory, name);
        const stat = statSync(file, { bigint: true, throwIfNoEntry: false });
        if (stat === undefined || !stat.isFile()) continue;
        if (last?.path === file && sameStamp(last.stamp, stampOf(stat))) return last.lock;
        const result = readStable(file);
        if (result.kind !== "read") continue;
        last = { path: file, stamp: result.stamp, lock: { path: path.relative(projectDir, file), digest: sha256(result.bytes) } };
        return last.lock;
      }
    }
    return null;
  };
}

function ancestors(projectDir: string): readonly string[] {
  const out: string[] = [];
  for (let directory = path.resolve(projectDir); ; directory = path.dirname(directory)) {
    out.push(directory);
    if (existsSync(path.join(directory, ".git")) || path.dirname(directory) === directory) return out;
  }
}

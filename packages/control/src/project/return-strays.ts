import fs from "node:fs/promises";
import path from "node:path";
import { manifestName } from "@midflight/publisher";

/**
 * What an app made at its working directory (`data/`, `uploads/`) belongs to the project, not to one release: it is moved
 * there before the next process starts, and linked from then on. What the project has already is never written over.
 */
export async function returnStrays(releasesDir: string, projectDir: string): Promise<void> {
  for (const name of await fs.readdir(releasesDir).catch(() => [])) {
    if (!name.startsWith(".")) await returnStraysOf(path.join(releasesDir, name), projectDir);
  }
}

async function returnStraysOf(releaseDir: string, projectDir: string): Promise<void> {
  const own = await topNames(releaseDir);
  if (own === null) return;
  for (const entry of await fs.readdir(releaseDir, { withFileTypes: true })) {
    if (own.has(entry.name) || entry.isSymbolicLink()) continue;
    const [from, to] = [path.join(releaseDir, entry.name), path.join(projectDir, entry.name)];
    if (await exists(to)) continue;
    await fs.rename(from, to);
    await fs.symlink(to, from);
  }
}

/** Names at the top of a release; null if it cannot be told, then nothing is moved. */
async function topNames(releaseDir: string): Promise<ReadonlySet<string> | null> {
  try {
    const { files } = JSON.parse(await fs.readFile(path.join(releaseDir, manifestName), "utf8")) as { files: Record<string, unknown> };
    return new Set([manifestName, "node_modules", ...Object.keys(files).map((file) => file.split("/")[0]!)]);
  } catch {
    return null;
  }
}

async function exists(at: string): Promise<boolean> {
  return fs.lstat(at).then(() => true, () => false);
}

import fs from "node:fs/promises";
import path from "node:path";

/** Never part of what an app reads at its working directory; `node_modules` is linked with the release. */
const leftOut: ReadonlySet<string> = new Set([".git", ".midflight", "node_modules"]);

/**
 * An app reads more than its code: `.env`, `public/`, `data/`. What lies at the top of the project and is no part of the
 * release is linked beside it, so that the app finds (and writes) it where it always did. What is part of the release is never
 * hidden: code comes from the release alone.
 */
export async function linkRest(projectDir: string, releaseDir: string): Promise<void> {
  const present = new Set(await fs.readdir(releaseDir));
  const wanted = (await fs.readdir(projectDir)).filter((name) => !present.has(name) && !leftOut.has(name));
  await Promise.all(wanted.map((name) => link(path.join(projectDir, name), path.join(releaseDir, name))));
}

async function link(target: string, at: string): Promise<void> {
  try {
    await fs.symlink(target, at);
  } catch (error) {
    // Another process of the same release was faster.
    if ((error as NodeJS.ErrnoException).code !== "EEXIST") throw error;
  }
}

import { mkdir, readdir, readFile, writeFile } from "node:fs/promises";
import path from "node:path";

/** Makes `to` hold what `from` holds, and touches no file that does already. */
export async function copySources(from: string, to: string): Promise<void> {
  await mkdir(to, { recursive: true });
  for (const entry of await readdir(from, { withFileTypes: true })) {
    const [source, target] = [path.join(from, entry.name), path.join(to, entry.name)];
    if (entry.isDirectory()) {
      await copySources(source, target);
      continue;
    }
    const bytes = await readFile(source);
    const present = await readFile(target).catch(() => null);
    if (present === null || !present.equals(bytes)) await writeFile(target, bytes);
  }
}

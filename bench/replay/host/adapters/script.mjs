import path from "node:path";
import { pathToFileURL } from "node:url";
import { Exited } from "../exit.mjs";

/** Runs files that are programs: one that ends without an error passes. */
export async function run({ directory, files, strays, whenIdle }) {
  const results = [];
  for (const file of files) {
    const before = strays.length;
    let error = null;
    try {
      await import(pathToFileURL(path.join(directory, file)).href);
      await whenIdle();
    } catch (problem) {
      if (!(problem instanceof Exited) || Number(problem.code) !== 0) error = String(problem?.stack ?? problem);
    }
    const stray = strays.slice(before).find((text) => !/process\.exit\(0?\)/.test(text));
    const failed = error ?? stray ?? (Number(process.exitCode ?? 0) === 0 ? null : `exit code ${process.exitCode}`);
    process.exitCode = 0;
    results.push({ title: file, ok: failed === null, ...(failed === null ? {} : { error: failed.slice(0, 600) }) });
  }
  return results;
}

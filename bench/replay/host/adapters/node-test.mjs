import { run as runTests } from "node:test";
import path from "node:path";

/** Runs files of `node:test` in this process. */
export async function run({ directory, files, whenIdle }) {
  return await collect(runTests({ files: files.map((file) => path.join(directory, file)), isolation: "none", cwd: directory }), directory, whenIdle);
}

/** It ends when nothing else would keep the process alive. */
export async function collect(events, directory, whenIdle) {
  const results = [];
  const note = (ok) => (test) => {
    // A suite tells nothing that its tests do not, unless it is itself that fails.
    if (test.details?.type === "suite" && (ok || test.details.error?.failureType === "subtestsFailed")) return;
    results.push({ title: test.name, at: test.file?.startsWith(directory) === true ? `${path.relative(directory, test.file)} ` : "", ok, skip: test.skip !== undefined || test.todo !== undefined, error: ok ? undefined : String(test.details?.error?.cause?.stack ?? test.details?.error).slice(0, 600) });
  };
  events.on("test:pass", note(true));
  events.on("test:fail", note(false));
  const ended = new Promise((resolve, reject) => {
    events.on("end", resolve);
    events.on("error", reject);
    events.resume();
  });
  await Promise.all([ended, whenIdle()]);
  return results.filter(({ skip }) => !skip).map(({ at, title, ok, error }) => ({ title: `${at}${title}`, ok, error }));
}

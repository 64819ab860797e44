import { createRequire } from "node:module";
import path from "node:path";
import { forget } from "./forget.mjs";

/** Runs files of tape, one after the other, each on a tape of its own. */
export async function run({ directory, files }) {
  const require = createRequire(path.join(directory, "package.json"));
  const results = [];
  for (const file of files) {
    forget(require, "tape");
    const rows = require("tape").createStream({ objectMode: true });
    const titles = new Map();
    const ended = new Promise((resolve) => rows.on("end", resolve));
    rows.on("data", (row) => {
      if (row.type === "test") titles.set(row.id, row.name);
      else if (row.type === "assert") results.push({ title: `${file} ${titles.get(row.test) ?? ""} ${row.name}`, ok: row.ok === true || row.skip === true || row.todo === true, error: row.error === undefined ? undefined : String(row.error.stack ?? row.error).slice(0, 600) });
    });
    await import(path.join(directory, file));
    await ended;
  }
  return results;
}

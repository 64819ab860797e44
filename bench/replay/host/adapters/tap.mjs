import { createRequire } from "node:module";
import path from "node:path";
import { PassThrough } from "node:stream";
import { forget } from "./forget.mjs";
import { parseTap } from "./parse-tap.mjs";

/** Runs files of node-tap, one after the other. */
export async function run({ directory, files, whenIdle }) {
  const require = createRequire(path.join(directory, "package.json"));
  const results = [];
  for (const file of files) {
    forget(require, "tap");
    const tap = require("tap");
    const out = new PassThrough();
    let text = "";
    out.setEncoding("utf8").on("data", (chunk) => (text += chunk));
    tap.pipe(out);
    await import(path.join(directory, file));
    await whenIdle();
    tap.end?.();
    await new Promise((resolve) => setImmediate(resolve));
    results.push(...parseTap(text).map(({ title, ok }) => ({ title: `${file} ${title}`, ok })));
  }
  return results;
}

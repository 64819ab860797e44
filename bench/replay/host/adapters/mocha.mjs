import { createRequire } from "node:module";
import path from "node:path";

/** Runs files of tests by the repository's own mocha, in this process. */
export async function run({ directory, files, mocha: options }) {
  const require = createRequire(path.join(directory, "package.json"));
  const Mocha = require("mocha");
  const mocha = new Mocha({ ui: options.ui, timeout: options.timeoutMs ?? 5000, reporter: function Silent() {} });
  for (const name of options.require) {
    const hooks = require(name.startsWith(".") || !isFound(require, name) ? path.resolve(directory, name) : name);
    if (hooks?.mochaHooks !== undefined && typeof mocha.rootHooks === "function") mocha.rootHooks(hooks.mochaHooks);
  }
  for (const file of files) mocha.addFile(path.join(directory, file));
  if (typeof mocha.loadFilesAsync === "function") await mocha.loadFilesAsync();
  const results = [];
  await new Promise((resolve) => {
    const runner = mocha.run(resolve);
    runner.on("pass", (test) => results.push({ title: test.fullTitle(), ok: true }));
    runner.on("fail", (test, error) => results.push({ title: test.fullTitle(), ok: false, error: String(error?.stack ?? error).slice(0, 600) }));
  });
  return results;
}

function isFound(require, name) {
  try {
    require.resolve(name);
    return true;
  } catch {
    return false;
  }
}

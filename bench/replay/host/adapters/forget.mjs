import path from "node:path";

/** Takes a test runner out of the cache, so that the next file gets one that has not ended. */
export function forget(require, name) {
  let home;
  try {
    home = require.resolve(name).split(`${path.sep}node_modules${path.sep}`).slice(0, -1).join(`${path.sep}node_modules${path.sep}`);
  } catch {
    return;
  }
  const own = new RegExp(`node_modules/(?:${name}|lib${name}|${name}-[^/]+|@${name}js)/`);
  for (const file of Object.keys(require.cache)) if (file.startsWith(home) && own.test(file)) delete require.cache[file];
}

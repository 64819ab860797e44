// Runs an app in PM2's cluster mode with a daemon of its own, and reloads it, without its clients seeing it down, for each line on stdin.
// PM2_HOME, PM2_MODULE and APP_NODE are given by the bench.
import { createRequire } from "node:module";
import { createInterface } from "node:readline";
import { promisify } from "node:util";

const pm2 = createRequire(import.meta.url)(process.env["PM2_MODULE"] ?? "pm2");
const call = (name, ...args) => promisify(pm2[name].bind(pm2))(...args);

await call("connect");
await call("start", { name: "rival", script: "dist/server.js", cwd: process.cwd(), exec_mode: "cluster", instances: 1, interpreter: process.env["APP_NODE"], env: { PORT: process.env["PORT"] } });
process.stdout.write("started\n");
for await (const line of createInterface({ input: process.stdin })) {
  if (line === "reload") {
    await call("reload", "rival");
    process.stdout.write("reloaded\n");
  } else break;
}
await call("delete", "rival");
await call("killDaemon").catch(() => undefined);
process.exit(0);

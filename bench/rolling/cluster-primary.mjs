// A rolling restart as guides to node:cluster show it: fork the next worker, wait until it listens, let the old one go,
// and kill it after as long as PM2 waits. One roll for each line on stdin.
import cluster from "node:cluster";
import { once } from "node:events";
import { createInterface } from "node:readline";

const killAfterMs = 1600;

async function fork() {
  const worker = cluster.fork();
  await once(worker, "listening");
  return worker;
}

async function retire(worker) {
  const ended = once(worker, "exit");
  worker.disconnect();
  worker.process.kill("SIGTERM");
  const timer = setTimeout(() => worker.process.kill("SIGKILL"), killAfterMs);
  await ended;
  clearTimeout(timer);
}

cluster.setupPrimary({ exec: process.argv[2] });
let worker = await fork();
process.stdout.write("started\n");
for await (const line of createInterface({ input: process.stdin })) {
  if (line !== "roll") break;
  const old = worker;
  worker = await fork();
  await retire(old);
  process.stdout.write("rolled\n");
}
await retire(worker);
process.exit(0);

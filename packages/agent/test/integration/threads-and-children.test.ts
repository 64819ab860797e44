import assert from "node:assert/strict";
import { readdirSync } from "node:fs";
import path from "node:path";
import { afterEach, beforeEach, describe, test } from "node:test";
import { guardAgainstLeaks } from "@midflight/testkit";
import { ask, portOf, ServedApp, shop } from "../support/served-app.ts";
import { until } from "../support/until.ts";

describe("an agent of its own", () => {
  let app: ServedApp;
  beforeEach(async () => {
    app = await ServedApp.open();
  });
  afterEach(() => app.close());
  guardAgainstLeaks();

  const price = (answer: number): string => `export function price() {\n  return ${answer};\n}\n`;

  for (const node of [20, 22, 24, 26]) {
    test(`runs in each worker thread, which swaps and comes up like its process (Node ${node})`, async () => {
      const files = (answer: number): Record<string, string> => ({
        "price.js": price(answer),
        "worker.js": 'import { parentPort } from "node:worker_threads";\nimport { price } from "./price.js";\nparentPort.on("message", () => parentPort.postMessage(price()));\n',
        "app.js": `import { Worker } from "node:worker_threads";
import { createServer } from "node:http";
import { once } from "node:events";
import { price } from "./price.js";
const spawn = () => new Worker(new URL("./worker.js", import.meta.url));
const workers = [spawn()];
const server = createServer(async (request, response) => {
  if (request.url === "/more") workers.push(spawn());
  const answers = await Promise.all(workers.map(async (worker) => {
    worker.postMessage("price");
    return (await once(worker, "message"))[0];
  }));
  response.end([price(), ...answers].join(" "));
});
server.listen(0, "127.0.0.1", () => console.log("port " + server.address().port));
`,
      });
      const boot = app.release(files(1));
      const next = app.release(files(2));
      await app.deploy(boot, boot);
      const started = await app.start(boot, { node });
      const port = await portOf(started);
      assert.equal(await ask(port), "1 1");
      await app.beat((b) => b.target === "web-1#1" && b.thread === 1 && b.state === "following");
      await app.deploy(boot, next);
      await app.report((r) => r.counter === 2 && r.from.target === "web-1" && r.outcome.kind === "swapped");
      await app.report((r) => r.counter === 2 && r.from.target === "web-1#1" && r.outcome.kind === "swapped");
      assert.equal(await ask(port), "2 2");
      assert.equal(await (await fetch(`http://127.0.0.1:${port}/more`, { headers: { connection: "close" } })).text(), "2 2 2", "a thread that starts later comes up on what is live");
      assert.deepEqual(started.stderr.lines, []);
      await started.kill();
    });
  }

  test("runs in each worker of a cluster, which serves the release that is live when it starts", async () => {
    const files = (answer: number): Record<string, string> => ({
      ...shop(answer),
      "app.js": `import cluster from "node:cluster";
if (cluster.isPrimary) {
  cluster.fork();
  process.on("SIGUSR2", () => cluster.fork());
  console.log("primary");
} else {
  await import("./serve.js");
}
`,
      "serve.js": shop(answer)["app.js"].replace('console.log("port "', 'console.log("port-" + process.pid + " "'),
    });
    const boot = app.release(files(1));
    const next = app.release(files(2));
    await app.deploy(boot, boot);
    const started = await app.start(boot);
    const [, pid, port] = await started.waitForLine(/^port-(\d+) (\d+)$/);
    assert.equal(await ask(Number(port)), "1");
    await app.beat((b) => b.target === `web-1/${pid}` && b.state === "following");
    await app.deploy(boot, next);
    await app.report((r) => r.from.target === `web-1/${pid}` && r.outcome.kind === "swapped");
    assert.equal(await ask(Number(port)), "2");
    process.kill(started.pid, "SIGUSR2");
    const second = await until(async () => started.stdout.lines.map((l) => /^port-(\d+) /.exec(l)?.[1]).find((p) => p !== undefined && p !== pid));
    const beat = await app.beat((b) => b.target === `web-1/${second}`);
    assert.equal(beat.live, next.published.id);
    const kept = readdirSync(path.join(app.world.directory, "state")).filter((name) => name !== "blobs");
    assert.deepEqual(new Set(kept), new Set(["web-1.json", "web-1.live.json"]), "only the owner writes");
    await started.killGroup();
  });

  test("runs in a forked child", async () => {
    const boot = app.release({
      "price.js": price(1),
      "child.js": 'import { price } from "./price.js";\nprocess.on("message", () => process.send(price()));\nconsole.log("child " + process.pid);\n',
      "app.js": 'import { fork } from "node:child_process";\nimport { once } from "node:events";\nconst child = fork(new URL("./child.js", import.meta.url));\nprocess.on("SIGUSR2", async () => {\n  child.send("price");\n  console.log("answer " + (await once(child, "message"))[0]);\n});\nconsole.log("up");\n',
    });
    const next = app.release({ "price.js": price(2), "child.js": boot.shape.units.get("child.js")!.source, "app.js": boot.shape.units.get("app.js")!.source });
    await app.deploy(boot, boot);
    const started = await app.start(boot);
    const [, pid] = await started.waitForLine(/^child (\d+)$/);
    await app.beat((b) => b.target === `web-1/${pid}` && b.state === "following");
    await app.deploy(boot, next);
    await app.report((r) => r.from.target === `web-1/${pid}` && r.outcome.kind === "swapped");
    process.kill(started.pid, "SIGUSR2");
    await started.waitForLine(/^answer 2$/);
    await started.killGroup();
  });
});

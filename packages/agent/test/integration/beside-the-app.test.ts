import assert from "node:assert/strict";
import { once } from "node:events";
import { readFileSync, writeFileSync } from "node:fs";
import { createServer, type Server } from "node:net";
import type { AddressInfo } from "node:net";
import path from "node:path";
import { pathToFileURL } from "node:url";
import { afterEach, beforeEach, describe, test } from "node:test";
import { guardAgainstLeaks } from "@midflight/testkit";
import { ask, portOf, ServedApp, shop, type AppRelease } from "../support/served-app.ts";

const hook = 'Symbol.for("midflight.agent.v1") in globalThis';

describe("beside an app, the agent", () => {
  let app: ServedApp;
  beforeEach(async () => {
    app = await ServedApp.open();
  });
  afterEach(() => app.close());
  guardAgainstLeaks();

  /** A release that is assigned, of one file that runs and ends. */
  const script = async (text: string): Promise<AppRelease> => {
    const release = app.release({ "app.js": text });
    await app.deploy(release, release);
    return release;
  };

  test("does nothing at all when nothing is configured", async () => {
    const release = await script(`console.log(${hook});`);
    const started = await app.start(release, { env: { MIDFLIGHT_REGISTRY: undefined } });
    assert.deepEqual(await started.exited, { code: 0, signal: null });
    assert.deepEqual(started.stdout.lines, ["false"]);
    assert.deepEqual(await app.registry.presence("shop/test"), []);
  });

  test("lets the app run without it when the configuration is not whole", async () => {
    const release = await script(`console.log(${hook});`);
    for (const env of [{ MIDFLIGHT_TOKEN: "" }, { MIDFLIGHT_ROOT: "/nowhere/root.json" }, { MIDFLIGHT_REGISTRY: "nonsense" }]) {
      const started = await app.start(release, { env });
      assert.deepEqual(await started.exited, { code: 0, signal: null });
      assert.deepEqual(started.stdout.lines, ["false"]);
      assert.deepEqual(started.stderr.lines, []);
    }
  });

  for (const node of [20, 22, 24, 26]) {
    test(`never keeps a process alive (Node ${node})`, async () => {
      const release = await script(`console.log(${hook});`);
      const started = await app.start(release, { node });
      assert.deepEqual(await started.exited, { code: 0, signal: null });
      assert.deepEqual(started.stdout.lines, ["true"]);
      assert.deepEqual(started.stderr.lines, []);
    });
  }

  test("keeps an app that ends by an error from nothing: the same text, the same exit code", async () => {
    const release = await script('throw new Error("on purpose");');
    const started = await app.start(release);
    assert.equal((await started.exited).code, 1);
    assert(started.stderr.lines.some((line) => line.includes("Error: on purpose")));
  });

  describe("with a registry that accepts and never answers", () => {
    let hole: Server;
    beforeEach(async () => {
      hole = createServer((socket) => socket.on("error", () => undefined)).listen(0, "127.0.0.1");
      await once(hole, "listening");
    });
    afterEach(() => hole.close());

    test("holds the app's load no longer than it may, and then lets it end", async () => {
      const release = await script(`console.log(${hook});`);
      const started = await app.start(release, { env: { MIDFLIGHT_REGISTRY: `http://127.0.0.1:${(hole.address() as AddressInfo).port}`, MIDFLIGHT_BOOT_WAIT_MS: "200" } });
      assert.deepEqual(await started.exited, { code: 0, signal: null });
      assert.deepEqual(started.stdout.lines, ["true"]);
    });
  });

  test("takes the transition before the app loads: its very first answer is the new one", async () => {
    const boot = app.release(shop(1));
    const next = app.release(shop(2));
    await app.deploy(boot, boot);
    await app.deploy(boot, next);
    const started = await app.start(boot);
    assert.equal(await ask(await portOf(started)), "2");
    const beat = await app.beat((b) => b.pid === started.pid && b.state === "following");
    assert.equal(beat.live, next.published.id);
    assert.equal(beat.generation, 0, "nothing was swapped");
    await started.kill();
  });

  test("runs code that is of no release as it is, says so, and never replaces it", async () => {
    const boot = app.release(shop(1));
    const next = app.release(shop(2));
    await app.deploy(boot, boot);
    const file = path.join(boot.directory, "price.js");
    writeFileSync(file, readFileSync(file, "utf8").replace("return 1", "return 7"));
    const started = await app.start(boot);
    const port = await portOf(started);
    const beat = await app.beat((b) => b.state === "unregistered");
    assert.equal(beat.boot, null);
    assert.equal(beat.live, null);
    await app.deploy(boot, next);
    assert.equal(await ask(port), "7");
    await started.kill();
  });

  test("refuses where text may not become code, and the app is untouched", async () => {
    const boot = app.release(shop(1));
    const next = app.release(shop(2));
    await app.deploy(boot, boot);
    const started = await app.start(boot, { execArgv: ["--disallow-code-generation-from-strings"] });
    const port = await portOf(started);
    await app.deploy(boot, next);
    const { outcome } = await app.report((r) => r.counter === 2);
    assert(outcome.kind === "refused");
    assert.equal(outcome.code, "EVAL_DISALLOWED");
    assert.equal(await ask(port), "1");
    await started.kill();
  });

  test("writes down a release that kills the process, and the restart comes up on the one before", async () => {
    const boot = app.release(shop(1));
    const broken = app.release({ ...shop(2), "price.js": 'export function price() {\n  setImmediate(() => {\n    throw new Error("deadly");\n  });\n  return 2;\n}\n' });
    await app.deploy(boot, boot);
    const first = await app.start(boot, { env: { MIDFLIGHT_PROBATION_MS: "10000" } });
    const port = await portOf(first);
    await app.deploy(boot, broken);
    await app.report((r) => r.counter === 2 && r.outcome.kind === "swapped");
    await ask(port).catch(() => "");
    const { code } = await first.exited;
    assert.equal(code, 1, "Node's own way to end");
    assert(first.stderr.lines.some((line) => line.includes("Error: deadly")));
    const second = await app.start(boot);
    assert.equal(await ask(await portOf(second)), "1");
    const { outcome } = await app.report((r) => r.outcome.kind === "refused");
    assert(outcome.kind === "refused");
    assert.equal(outcome.code, "SWAP_REVERTED");
    assert.match(outcome.reason, /deadly/);
    await second.kill();
  });

  test("takes a release back that throws in an app that survives its errors", async () => {
    const survive = 'process.on("uncaughtException", () => undefined);\n';
    const boot = app.release({ ...shop(1), "app.js": survive + shop(1)["app.js"] });
    const broken = app.release({ ...shop(2), "app.js": survive + shop(2)["app.js"], "price.js": 'export function price() {\n  setImmediate(() => {\n    throw new Error("bad");\n  });\n  return 2;\n}\n' });
    await app.deploy(boot, boot);
    const started = await app.start(boot, { env: { MIDFLIGHT_PROBATION_MS: "10000" } });
    const port = await portOf(started);
    await app.deploy(boot, broken);
    await app.report((r) => r.counter === 2 && r.outcome.kind === "swapped");
    assert.equal(await ask(port), "2");
    await app.report((r) => r.outcome.kind === "reverted");
    assert.equal(await ask(port), "1");
    await app.beat((b) => b.live === boot.published.id && b.pid === started.pid);
    await started.kill();
  });

  for (const node of [20, 22, 24, 26]) {
    test(`lives beside another --import that hooks module loading (Node ${node})`, async () => {
      const hooks = path.join(app.world.directory, "hooks.mjs");
      const other = path.join(app.world.directory, "other.mjs");
      writeFileSync(hooks, "export async function resolve(specifier, context, next) {\n  return next(specifier, context);\n}\nexport async function load(url, context, next) {\n  return next(url, context);\n}\n");
      writeFileSync(other, `import { register } from "node:module";\nimport { AsyncLocalStorage } from "node:async_hooks";\nregister(${JSON.stringify(pathToFileURL(hooks).href)});\nnew AsyncLocalStorage().enterWith({});\nprocess.env.OTHER = "ran";\n`);
      const boot = app.release({ ...shop(1), "app.js": `if (process.env.OTHER !== "ran") throw new Error("the other one is missing");\n${shop(1)["app.js"]}` });
      const next = app.release({ ...shop(2), "app.js": `if (process.env.OTHER !== "ran") throw new Error("the other one is missing");\n${shop(2)["app.js"]}` });
      await app.deploy(boot, boot);
      const started = await app.start(boot, { node, imports: [pathToFileURL(other).href] });
      const port = await portOf(started);
      await app.deploy(boot, next);
      const { outcome } = await app.report((r) => r.counter === 2);
      assert.equal(outcome.kind, "swapped", JSON.stringify(outcome));
      assert.equal(await ask(port), "2");
      await started.kill();
    });
  }
});

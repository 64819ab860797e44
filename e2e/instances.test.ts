import assert from "node:assert/strict";
import { chmodSync, mkdirSync, readFileSync, symlinkSync, writeFileSync } from "node:fs";
import path from "node:path";
import { describe, test } from "node:test";
import { serveRegistry } from "@midflight/registry";
import { type AppProcess, guardAgainstLeaks, repositoryRoot, startSystem, type System, type SystemOptions } from "@midflight/testkit";
import { euroAfterAmount, makeEdit } from "../examples/shop/edits.ts";
import { nodeBinary, nodeMajors } from "../scripts/node-versions.mjs";
import { clustered, manyInstances, pnpmLinks, pnpmStore, threadsAndChildren, version, withPackage } from "./instances/apps.ts";

const base: SystemOptions = { app: "many", code: ["src"], run: "node src/server.js", ready: /^port (\d+)$/ };

async function withSystem(options: Partial<SystemOptions>, work: (system: System) => Promise<void>): Promise<void> {
  const system = await startSystem({ ...base, ...options });
  try {
    await work(system);
  } finally {
    await system.close();
  }
}

const ask = async <T>(app: AppProcess, place = "/"): Promise<T> => (await (await fetch(new URL(place, app.url), { headers: { connection: "close" } })).json()) as T;

async function follows(system: System, app: AppProcess, target = "web-1"): Promise<void> {
  await system.beat(`${target} follows`, (beat) => beat.pid === app.pid && beat.state === "following");
}

describe("every instance of a unit", () => {
  guardAgainstLeaks();

  for (const node of nodeMajors) {
    test(`swaps: ES module, query string, CommonJS, a second one after its cache was emptied, bound and destructured (Node ${node})`, async () => {
      await withSystem({ files: manyInstances(1) }, async (system) => {
        await system.publish();
        const app = await system.start({ node: nodeBinary(node) });
        await follows(system, app);
        const first = await ask<{ versions: number[]; bumps: number[] }>(app);
        assert.deepEqual(first.versions, [1, 1, 1, 1, 1, 1]);
        system.write(version(2));
        const published = await system.publish();
        const { outcome } = await system.swapped(published);
        assert.equal(outcome.kind === "swapped" && outcome.units, 2);
        const second = await ask<{ versions: number[]; bumps: number[]; pid: number }>(app);
        assert.deepEqual([second.versions, second.pid], [[2, 2, 2, 2, 2, 2], app.pid]);
        assert.deepEqual(second.bumps, [3, 4, 2, 2, 2], "each instance goes on counting where it was");
        await system.swapped(await system.rollback());
        assert.deepEqual((await ask<{ versions: number[] }>(app)).versions, [1, 1, 1, 1, 1, 1]);
        await app.kill();
      });
    });
  }

  test("swaps in worker threads and forked children, each with its own report", async () => {
    await withSystem({ files: threadsAndChildren(1) }, async (system) => {
      await system.publish();
      const app = await system.start();
      const { versions, pids } = await ask<{ versions: number[]; pids: [number, number, number] }>(app);
      assert.deepEqual([versions, pids[0], pids[1]], [[1, 1, 1], app.pid, app.pid]);
      const members = [(b: Member) => b.pid === app.pid && b.thread === 0, (b: Member) => b.pid === app.pid && b.thread > 0, (b: Member) => b.pid === pids[2]];
      for (const is of members) await system.beat("it follows", (beat) => is(beat) && beat.state === "following");
      system.write(version(2));
      const { counter } = await system.publish();
      const reports = await Promise.all(members.map((is) => system.report("its report", (r) => r.counter === counter && is(r.from))));
      assert.deepEqual(reports.map(({ outcome }) => outcome.kind), ["swapped", "swapped", "swapped"]);
      assert.equal(new Set(reports.map(({ from }) => from.target)).size, 3, "each has a name of its own");
      assert.deepEqual(await ask(app), { versions: [2, 2, 2], pids });
      await app.killGroup();
    });
  });

  test("swaps in the workers of a cluster, and a worker that is started later serves the same", async () => {
    await withSystem({ files: clustered(1) }, async (system) => {
      await system.publish();
      const app = await system.start();
      const workers = async (): Promise<Member[]> => (await system.registry.presence(system.channel)).filter((beat) => beat.pid !== app.pid && beat.state === "following");
      await system.until("both workers follow", async () => (await workers()).length === 2);
      system.write(version(2));
      const { counter } = await system.publish();
      const pids = (await workers()).map(({ pid }) => pid);
      for (const pid of pids) assert.equal((await system.report("its report", (r) => r.counter === counter && r.from.pid === pid)).outcome.kind, "swapped");
      const askAll = (): Promise<{ version: number; pid: number }[]> => Promise.all([1, 2, 3, 4].map(() => ask<{ version: number; pid: number }>(app)));
      const answers = await askAll();
      assert.deepEqual(answers.map((answer) => answer.version), [2, 2, 2, 2]);
      assert.ok(answers.every(({ pid }) => pids.includes(pid)));
      process.kill(pids[0] ?? 0, "SIGKILL");
      await system.until("another worker follows", async () => (await workers()).some(({ pid }) => !pids.includes(pid)));
      assert.deepEqual((await askAll()).map((answer) => answer.version), [2, 2, 2, 2]);
      await app.killGroup();
    });
  });
});

type Member = Readonly<Record<"pid" | "thread", number>>;

describe("beside other tools", () => {
  guardAgainstLeaks();

  test("an app behind tsx swaps, from its TypeScript sources", async () => {
    const shop = { app: "shop", from: path.join(repositoryRoot, "examples/shop"), code: ["src"], ready: /shop open on (\S+)/ };
    await withSystem({ ...shop, run: "node --import tsx src/server.ts" }, async (system) => {
      await system.publish();
      const app = await system.start();
      await follows(system, app);
      const price = async (): Promise<string> => (await ask<{ price: string }>(app, "/api/products/assam")).price;
      assert.equal(await price(), "€7.11");
      await makeEdit(system.projectDir, euroAfterAmount);
      await system.swapped(await system.publish());
      assert.equal(await price(), "7.11 €");
      await app.killGroup();
    });
  });

  for (const node of [20, 24]) {
    test(`OpenTelemetry goes on tracing each request over a swap, and its hooks do not hide a unit (Node ${node})`, async () => {
      const files = manyInstances(1);
      const server = (files["src/server.js"] ?? "").replace("pid: process.pid", "pid: process.pid, spans: globalThis.otelSpans()");
      await withSystem({ files: { ...files, "src/server.js": server } }, async (system) => {
        await system.publish();
        const app = await system.start({ node: nodeBinary(node), imports: [new URL("instances/otel.mjs", import.meta.url).href] });
        await follows(system, app);
        await ask(app);
        const before = await ask<{ spans: number }>(app);
        assert.ok(before.spans >= 1, "the first request was traced");
        system.write(version(2));
        await system.swapped(await system.publish());
        const after = await ask<{ versions: number[]; spans: number }>(app);
        assert.deepEqual(after.versions, [2, 2, 2, 2, 2, 2]);
        assert.ok(after.spans > before.spans);
        await app.kill();
      });
    });
  }

  test("packages that pnpm has linked are found from a release directory", async () => {
    await withSystem({ files: withPackage(1) }, async (system) => {
      const modules = path.join(system.projectDir, "node_modules");
      for (const [name, text] of Object.entries(pnpmStore)) {
        mkdirSync(path.dirname(path.join(modules, name)), { recursive: true });
        writeFileSync(path.join(modules, name), text);
      }
      for (const [name, to] of Object.entries(pnpmLinks)) symlinkSync(to, path.join(modules, name), "dir");
      await system.publish();
      const app = await system.start({ link: system.projectDir });
      await follows(system, app);
      assert.deepEqual(await ask(app), { says: "right 1", pid: app.pid });
      system.write(version(2));
      await system.swapped(await system.publish());
      assert.deepEqual(await ask(app), { says: "right 2", pid: app.pid });
      await app.kill();
    });
  });
});

describe("a process that starts", () => {
  guardAgainstLeaks();

  test("from an older release's directory answers its very first request by the live one", async () => {
    await withSystem({ files: manyInstances(1) }, async (system) => {
      const first = await system.publish();
      const boot = await system.start();
      await follows(system, boot);
      system.write(version(2));
      const second = await system.publish();
      await system.swapped(second);
      await boot.kill();
      const again = await system.start({ release: first.release });
      assert.deepEqual((await ask<{ versions: number[] }>(again)).versions, [2, 2, 2, 2, 2, 2]);
      await system.beat("its beat", (beat) => beat.pid === again.pid && beat.boot === first.release && beat.live === second.release);
      // A sibling that was never there before does the same, from either directory.
      for (const [target, release] of [["web-2", first.release], ["web-3", second.release]] as const) {
        const sibling = await system.start({ target, release });
        assert.deepEqual((await ask<{ versions: number[] }>(sibling)).versions, [2, 2, 2, 2, 2, 2]);
        await sibling.kill();
      }
      await again.kill();
    });
  });

  test("from code that is of no release runs it as it is, says so, and is never replaced", async () => {
    await withSystem({ files: manyInstances(1) }, async (system) => {
      const { release } = await system.publish();
      const file = path.join(await system.materialise(release), "src/price.js");
      chmodSync(file, 0o644);
      writeFileSync(file, readFileSync(file, "utf8").replace("return 1;", "return 77;"));
      const cwd = path.dirname(path.dirname(file));
      const app = await system.start({ cwd });
      assert.equal((await ask<{ versions: number[] }>(app)).versions[0], 77);
      await system.beat("it says what it is", (beat) => beat.pid === app.pid && beat.state === "unregistered" && beat.boot === null && beat.live === null);
      system.write(version(2));
      const { counter } = await system.publish();
      const witness = await system.start({ target: "web-2" });
      await system.beat("another one has got it", (beat) => beat.pid === witness.pid && beat.counter === counter);
      assert.equal((await ask<{ versions: number[] }>(app)).versions[0], 77);
      assert.deepEqual((await system.registry.reports({ channel: system.channel })).filter((report) => report.from.pid === app.pid), []);
      await witness.kill();
      await app.kill();
    });
  });

  test("while the registry is away serves what it has, and catches up when it is back", async () => {
    await withSystem({ files: manyInstances(1) }, async (system) => {
      const first = await system.publish();
      const { port } = new URL(system.server.url);
      await system.server.close();
      const app = await system.start({ release: first.release, env: { MIDFLIGHT_BOOT_WAIT_MS: "300" } });
      assert.deepEqual((await ask<{ versions: number[] }>(app)).versions, [1, 1, 1, 1, 1, 1]);
      system.write(version(2));
      const second = await system.publish();
      const back = await serveRegistry(system.registry, { port: Number(port), tokens: system.tokens });
      try {
        await system.swapped(second);
        assert.deepEqual((await ask<{ versions: number[] }>(app)).versions, [2, 2, 2, 2, 2, 2]);
      } finally {
        await app.kill();
        await back.close();
      }
    });
  });
});

import assert from "node:assert/strict";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, test } from "node:test";
import { guardAgainstLeaks, startProcess } from "../../src/index.ts";
import { isGroupGoneWithin } from "../../src/process/process-groups.ts";

const node = (script: string): { command: string; args: string[] } => ({ command: process.execPath, args: ["-e", script] });
const forever = "setInterval(() => {}, 1000);";

describe("started process", () => {
  guardAgainstLeaks();

  test("tells its lines, its code and whether it lives", async () => {
    const child = await startProcess(node("console.log('a\\nb'); console.error('c'); process.exitCode = 7"));
    assert.deepEqual(await child.exited, { code: 7, signal: null });
    assert.deepEqual([child.stdout.lines, child.stderr.lines, child.isAlive, child.isGroupAlive], [["a", "b"], ["c"], false, false]);
  });

  test("awaits a line to come as well as one that came, on either stream", async () => {
    const child = await startProcess(node(`console.log('early 1'); setTimeout(() => console.error('late 22'), 50); ${forever}`));
    assert.equal((await child.waitForLine(/late (\d+)/))[1], "22");
    assert.equal((await child.waitForLine(/early (\d+)/g))[1], "1");
    assert.deepEqual(await child.kill(), { code: null, signal: "SIGKILL" });
  });

  test("says what was printed when the awaited line does not come", async () => {
    const ending = await startProcess(node("console.log('only this')"));
    await assert.rejects(ending.waitForLine(/that/), /the process ended first \(code 0\)\nonly this/);
    const silent = await startProcess(node(forever));
    await assert.rejects(silent.waitForLine(/that/, { timeoutMs: 30 }), /no such line within 30 ms\n\(it printed nothing\)/);
    await silent.kill();
  });

  test("stops what listens, and kills and names what does not", async () => {
    const polite = await startProcess(node(`process.on('SIGTERM', () => process.exit(3)); console.log('up'); ${forever}`));
    await polite.waitForLine(/up/);
    assert.deepEqual(await polite.stop(), { code: 3, signal: null });
    const deaf = await startProcess(node(`process.on('SIGTERM', () => {}); console.log('up'); ${forever}`));
    await deaf.waitForLine(/up/);
    await assert.rejects(deaf.stop({ withinMs: 50 }), /did not end within 50 ms of SIGTERM\nup/);
    assert.equal(deaf.isAlive, false);
  });

  test("ends what the process started along with it", async () => {
    const parent = await startProcess(node(`require('child_process').spawn(process.execPath, ['-e', '${forever}']); console.log('up'); ${forever}`));
    await parent.waitForLine(/up/);
    await parent.kill();
    assert.deepEqual([parent.isAlive, parent.isGroupAlive], [false, true]);
    await parent.killGroup();
    assert.equal(parent.isGroupAlive, false);
  });

  test("adds to and takes from the environment, and hides that a test runs", async () => {
    process.env["TESTKIT_PRESENT"] = "yes";
    const child = await startProcess({
      ...node("console.log(JSON.stringify([process.env.A, process.env.TESTKIT_PRESENT, process.env.NODE_TEST_CONTEXT, !!process.env.PATH]))"),
      env: { A: "1", TESTKIT_PRESENT: undefined },
    });
    await child.exited;
    assert.deepEqual(JSON.parse(child.stdout.lines[0] ?? ""), ["1", null, null, true]);
  });

  test("rejects a program that is not there", async () => {
    await assert.rejects(startProcess({ command: "/no/such/program" }), { code: "ENOENT" });
  });
});

/** Runs a test file in a process of its own and hands back what it printed. */
async function runTests(body: string): Promise<{ code: number | null; output: string }> {
  const folder = await mkdtemp(join(tmpdir(), "leak-guard-"));
  const file = join(folder, "leaky.test.mjs");
  const testkit = new URL("../../src/index.ts", import.meta.url).href;
  await writeFile(
    file,
    `import { after, before, describe, test } from "node:test";
     import { guardAgainstLeaks, startProcess } from ${JSON.stringify(testkit)};
     const start = (script) => startProcess({ command: process.execPath, args: ["-e", script] });
     const forever = ${JSON.stringify(forever)};
     describe("suite", () => { ${body} });`,
  );
  try {
    const child = await startProcess({ command: process.execPath, args: ["--test-reporter=tap", file] });
    const { code } = await child.exited;
    return { code, output: [...child.stdout.lines, ...child.stderr.lines].join("\n") };
  } finally {
    await rm(folder, { recursive: true });
  }
}

const pidsIn = (output: string): number[] => [...output.matchAll(/pid=(\d+)/g)].map((match) => Number(match[1]));
const areGone = async (pids: readonly number[]): Promise<boolean> => (await Promise.all(pids.map((pid) => isGroupGoneWithin(pid, 2000)))).every(Boolean);

describe("leak guard", () => {
  guardAgainstLeaks();

  test("fails the test that leaves a process behind, names it, and ends it", async () => {
    const { code, output } = await runTests(
      `guardAgainstLeaks();
       test("tidy", async () => { await (await start(forever)).kill(); });
       test("leaky", async () => { console.log("pid=" + (await start(forever)).pid); });
       test("tidy again", () => {});`,
    );
    assert.equal(code, 1);
    assert.match(output, /not ok \d - leaky/);
    assert.match(output, /left running: .*setInterval/);
    assert.match(output, /# pass 2\n# fail 1/);
    assert.equal(pidsIn(output).length, 1);
    assert.ok(await areGone(pidsIn(output)));
  });

  test("lets a process from a before hook live until the last test, and no longer", async () => {
    const kept = await runTests(
      `let child;
       before(async () => { child = await start(forever); });
       after(() => child.kill());
       guardAgainstLeaks();
       test("one", () => {});
       test("two", () => { if (!child.isAlive) throw new Error("gone"); });`,
    );
    assert.equal(kept.code, 0, kept.output);
    const forgotten = await runTests(`guardAgainstLeaks(); before(async () => { await start(forever); }); test("one", () => {});`);
    assert.equal(forgotten.code, 1);
    assert.match(forgotten.output, /left running/);
  });

  test("leaves nothing alive when the tests end without a guard", async () => {
    const { output } = await runTests(`test("leaky", async () => { console.log("pid=" + (await start(forever)).pid); process.exitCode = 0; setTimeout(() => process.exit(0), 20); });`);
    assert.equal(pidsIn(output).length, 1);
    assert.ok(await areGone(pidsIn(output)));
  });
});

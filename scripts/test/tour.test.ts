import assert from "node:assert/strict";
import fs from "node:fs";
import net from "node:net";
import os from "node:os";
import path from "node:path";
import { after, describe, test } from "node:test";
import { fileURLToPath } from "node:url";
import { guardAgainstLeaks, startProcess, type ProcessExit, type StartedProcess } from "@midflight/testkit";
import { identify } from "../../packages/supervisor/src/process-identity.ts";

const root = fileURLToPath(new URL("../..", import.meta.url));
const workshop = fs.mkdtempSync(path.join(os.tmpdir(), "midflight-tour-"));
after(() => fs.rmSync(workshop, { recursive: true, force: true }));
guardAgainstLeaks();

/** Ports of its own, so that a tour that somebody looks at at the same time keeps those it names. */
const firstPort = 3400;

function startTour(options: { readonly shop?: string; readonly port?: number } = {}): Promise<StartedProcess> {
  const shop = options.shop === undefined ? [] : ["--shop", options.shop];
  return startProcess({
    command: process.execPath,
    args: [path.join(root, "scripts/tour.mjs"), "--once", ...shop],
    env: { PORT: String(options.port ?? firstPort), NO_COLOR: "1", LANG: "C.UTF-8", LC_ALL: undefined, NODE_OPTIONS: undefined },
    cwd: root,
  });
}

async function tour(options: Parameters<typeof startTour>[0]): Promise<ProcessExit & { readonly text: string; readonly errors: string }> {
  const started = await startTour(options);
  const exit = await started.exited;
  const text = started.stdout.lines.join("\n");
  // What failed is kept, to be looked at.
  if (/^ +Kept /m.test(text)) for (const folder of foldersIn(text)) fs.rmSync(folder, { recursive: true, force: true });
  return { ...exit, text, errors: started.stderr.lines.join("\n") };
}

/** A shop in which one text is another. */
function changedShop(file: string, find: string, replacement: string): string {
  const folder = fs.mkdtempSync(path.join(workshop, "shop-"));
  for (const name of ["src", "package.json", "tsconfig.json", "tsconfig.build.json", "midflight.config.ts", "edits.ts"]) fs.cpSync(path.join(root, "examples/shop", name), path.join(folder, name), { recursive: true });
  const text = fs.readFileSync(path.join(folder, file), "utf8");
  assert.equal(text.split(find).length, 2, `${file} holds ${find} once`);
  fs.writeFileSync(path.join(folder, file), text.replace(find, () => replacement));
  return folder;
}

function pidsIn(text: string): number[] {
  return [...text.matchAll(/^ +web-\d +(\d+) /gm)].map((match) => Number(match[1]));
}

/** One that ended and only waits for its parent to notice is not alive. */
function isAlive(pid: number): boolean {
  return identify(pid) !== null;
}

function tours(): string[] {
  return fs.readdirSync(path.join(root, ".midflight")).filter((name) => name.startsWith("tour-"));
}

function folderIn(text: string): string {
  const [folder] = foldersIn(text);
  assert.ok(folder !== undefined, text);
  return folder;
}

function foldersIn(text: string): string[] {
  return [...new Set(text.match(/\.midflight\/tour-\w+/g))].map((name) => path.join(root, name));
}

describe("the tour", () => {
  test("changes a shop under load three times, proves each step, and leaves nothing behind, also where its port is taken", async () => {
    const taken = net.createServer();
    await new Promise<void>((resolve) => taken.listen({ port: 0, host: "127.0.0.1" }, resolve));
    const { port } = taken.address() as net.AddressInfo;
    const { code, text, errors } = await tour({ port });
    taken.close();
    assert.equal(code, 0, text + errors);
    assert.equal(errors, "");
    assert.doesNotMatch(text, new RegExp(`127\\.0\\.0\\.1:${port}\\b`));
    for (const line of [
      /● patch +src\/money\.ts +formatMoney\(\): only the body changed/,
      /costs [\d.,]+ €; it was €[\d.,]+/,
      /◆ redefine +src\/pricing\.ts/,
      /✖ REPLACE_NEEDED\n +src\/cart\.ts/,
      /✔ nothing was published; r3 \w+\+ serves/,
      /✔ the very release that was live before, by digest/,
      /● patch +dist\/discounts\.js +bulkDiscountCents\(\): only the body/,
      /From +✔ r2 [0-9a-f]{7} "Give the bulk discount from two pieces on" \(Tour\), as\s+the signed\s+release says\n +Branch +main, clean tree\n +CI +ci 42 https:\/\/ci\.example\.com\/shop\/42\n +Meta +ticket=SHOP-7\n/,
      /In the end\n +Load +✔ 0 of [\d,]+ requests failed\n/,
      /✔ All \d+ claims held\.$/,
    ]) assert.match(text, line);
    assert.equal(text.match(/✔ 0 of [\d,]+ requests failed so far/g)?.length, 5);
    // One pair of processes from the first line to the last, and none after it.
    const [own = "", ofTheJob = ""] = text.split(/^5 {2}/m);
    const pids = new Set(pidsIn(own));
    assert.equal(pids.size, 2, text);
    assert.equal(new Set(pidsIn(ofTheJob)).size, 1, text);
    assert.deepEqual([...pids, ...pidsIn(ofTheJob)].filter(isAlive), []);
    for (const folder of foldersIn(text)) assert.equal(fs.existsSync(folder), false, folder);
    assert.equal(foldersIn(text).length, 2, text);
    assert.deepEqual(text.split("\n").filter((line) => line.length > 80), []);
  });

  test("fails when an edit cannot be made", async () => {
    const { code, text } = await tour({ shop: changedShop("src/money.ts", "${sign}€", "${sign}EUR") });
    assert.equal(code, 1, text);
    assert.match(text, /✖ cannot write the euro sign behind the amount: src\/money\.ts holds the text to replace 0 times/);
    assert.doesNotMatch(text, /claims held\./);
  });

  test("fails when an edit that has to be refused goes live", async () => {
    const shop = changedShop("edits.ts", 'file: "src/cart.ts",\n  steps: [{ find: "Date.now();\\n  #lines", replace: "Date.now();\\n  readonly currency = \\"EUR\\";\\n  #lines" }]', 'file: "src/discounts.ts",\n  steps: [{ find: "quantity >= 3", replace: "quantity >= 9" }]');
    const { code, text } = await tour({ shop });
    assert.equal(code, 1, text);
    assert.match(text, /✖ "let each cart know its currency" should have been refused, and was published/);
  });

  test("fails when one in many requests fails, fewer than make the processes take the edit back", async () => {
    const shop = changedShop("edits.ts", "replace: \"`${sign}${groupThousands(euros)}.${rest} €`\"", "replace: \"cents === 3351 ? JSON.parse('no price') : `${sign}${groupThousands(euros)}.${rest} €`\"");
    const { code, text } = await tour({ shop });
    assert.equal(code, 1, text);
    assert.match(text, /Proof +✖ [1-9]\d* of [\d,]+ requests failed so far/);
    assert.match(text, /✖ \d+ of \d+ claims did not hold\.$/);
  });

  test("ends its processes when somebody leaves in the middle", async () => {
    const started = await startTour();
    await started.waitForLine(/^2 {2}Save another/);
    const { code } = await started.stop({ signal: "SIGINT" });
    const text = started.stdout.lines.join("\n");
    assert.equal(code, 130, text);
    assert.deepEqual(pidsIn(text).filter(isAlive), []);
    assert.equal(pidsIn(text).length, 2);
    assert.equal(fs.existsSync(folderIn(text)), false);
  });

  for (const [when, line] of [["before it is there", /^5 {2}Take what a CI job built/], ["when it runs", /^ {2}CI job +build 42/]] as const) {
    test(`ends also the shop that runs what a job built, and takes its folder away, when somebody leaves ${when}`, async () => {
      const before = tours();
      const started = await startTour();
      await started.waitForLine(line, { timeoutMs: 60_000 });
      const { code } = await started.stop({ signal: "SIGINT", withinMs: 30_000 });
      const text = started.stdout.lines.join("\n");
      assert.equal(code, 130, text);
      const urls = text.match(/http:\/\/127\.0\.0\.1:\d+/g) ?? [];
      assert.ok(urls.length >= 2, text);
      for (const url of urls) await assert.rejects(fetch(url), /fetch failed/, url);
      assert.deepEqual(tours().filter((name) => !before.includes(name)), []);
    });
  }

  test("clears up after one that was killed", async () => {
    const killed = await startTour();
    await killed.waitForLine(/^2 {2}Save another/);
    await killed.kill("SIGKILL");
    const left = killed.stdout.lines.join("\n");
    assert.deepEqual(pidsIn(left).map(isAlive), [true, true]);
    const next = await startTour();
    await next.waitForLine(/^ +Load/);
    const stillAlive = pidsIn(left).filter(isAlive);
    await next.stop({ signal: "SIGINT" });
    assert.deepEqual(stillAlive, []);
    assert.equal(fs.existsSync(folderIn(left)), false);
  });
});

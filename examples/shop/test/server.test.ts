import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import { readFile } from "node:fs/promises";
import { createRequire } from "node:module";
import { join } from "node:path";
import { after, before, describe, test } from "node:test";
import { promisify } from "node:util";
import { IdLedger, type LoadReport, type StartedProcess, describeLoad, guardAgainstLeaks, missingNumbers, openEventStream, runLoad, startProcess } from "@midflight/testkit";
import { nodeBinary } from "../../../scripts/node-versions.mjs";
import { chargeForGiftWrap, makeEdit, shopEdits, stampRevisions, undoEdit } from "../edits.ts";
import { copyShop, shopFolder } from "./support.ts";

interface OpenShop {
  readonly url: URL;
  readonly process: StartedProcess;
}

async function openShop(node: string, entry: string, folder: string = shopFolder): Promise<OpenShop> {
  const process = await startProcess({ command: node, args: [entry], cwd: folder, env: { PORT: "0" } });
  const [, url] = await process.waitForLine(/shop open on (\S+)/);
  return { url: new URL(url ?? ""), process };
}

const getJson = async (url: URL, path: string): Promise<any> => await (await fetch(new URL(path, url), { headers: { connection: "close" } })).json();

async function putTea(url: URL, customer: string): Promise<void> {
  const body = JSON.stringify({ sku: "assam", quantity: 2, gift: true });
  await fetch(new URL(`/api/cart/${customer}/items`, url), { method: "POST", headers: { "content-type": "application/json", connection: "close" }, body });
}

async function checkOut(url: URL, customer: string): Promise<any> {
  return await (await fetch(new URL(`/api/cart/${customer}/checkout`, url), { method: "POST", headers: { connection: "close" } })).json();
}

async function buyTea(url: URL, customer: string): Promise<any> {
  await putTea(url, customer);
  return await checkOut(url, customer);
}

/** Browses and buys at once; each order's number is written down. */
async function shopAround(url: URL, requests: number): Promise<{ report: LoadReport; ledger: IdLedger; numbers: number[] }> {
  const ledger = new IdLedger();
  const numbers: number[] = [];
  const report = await runLoad({
    target: url,
    ratePerSecond: 150,
    requests,
    connections: "mixed",
    plan: (i) => {
      if (i % 3 !== 0) return { path: i % 2 === 0 ? "/api/products" : "/" };
      const cart = `/api/cart/customer-${i}`;
      return { path: `${cart}/items`, method: "POST", body: { sku: "mug" }, status: 201, next: () => ({ path: `${cart}/checkout`, method: "POST", status: 201 }) };
    },
    validate: (response, _i, spec) => {
      if (!spec.path.endsWith("/checkout")) return null;
      const sold = response.json() as { order: string; number: number };
      numbers.push(sold.number);
      return ledger.record(sold.order);
    },
  });
  return { report, ledger, numbers };
}

describe("shop from its sources", () => {
  guardAgainstLeaks();

  test("serves a mixed load without a failure, and numbers every order once", async () => {
    const shop = await openShop(process.execPath, "src/server.ts");
    const stream = await openEventStream(new URL("/api/stock/stream", shop.url));
    const { report, ledger, numbers } = await shopAround(shop.url, 300);
    assert.equal(report.failed, 0, `${describeLoad(report)} ${JSON.stringify(report.firstFailures)}`);
    const about = await getJson(shop.url, "/api/about");
    assert.deepEqual([about.pid, about.orders, ledger.size], [shop.process.pid, 100, 100]);
    assert.deepEqual(missingNumbers(numbers), []);
    const { events, outOfOrder, skipped, brokenBecause } = await stream.close();
    assert.deepEqual([events >= 40, outOfOrder, skipped, brokenBecause], [true, 0, 0, null]);
    await shop.process.stop();
  });

  test("lets a customer who is paying finish when it closes, ends its streams, and exits with 0", async () => {
    const shop = await startProcess({ command: process.execPath, args: ["src/server.ts"], cwd: shopFolder, env: { PORT: "0", PAYMENT_MS: "400" } });
    const url = new URL((await shop.waitForLine(/shop open on (\S+)/))[1] ?? "");
    const stream = await openEventStream(new URL("/api/stock/stream", url));
    await putTea(url, "ann");
    const paying = checkOut(url, "ann");
    // Once the cart is empty the order is with the bank.
    while ((await getJson(url, "/api/cart/ann")).pieces > 0);
    const exit = await shop.stop();
    assert.deepEqual(exit, { code: 0, signal: null });
    assert.equal((await paying).number, 1);
    assert.equal((await stream.ended).brokenBecause, "the server ended it");
  });

  test("says in one line why it cannot open", async () => {
    const first = await openShop(process.execPath, "src/server.ts");
    for (const [port, reason] of [[first.url.port, /EADDRINUSE/], ["soup", /PORT must be a whole number/]] as const) {
      const second = await startProcess({ command: process.execPath, args: ["src/server.ts"], cwd: shopFolder, env: { PORT: port } });
      assert.equal((await second.exited).code, 1);
      assert.equal(second.stderr.lines.length, 1);
      assert.match(second.stderr.lines[0] ?? "", reason);
    }
    await first.process.stop();
  });
});

describe("shop compiled", () => {
  before(async () => {
    const tsc = join(createRequire(import.meta.url).resolve("typescript/package.json"), "../bin/tsc");
    await promisify(execFile)(process.execPath, [tsc, "-p", "tsconfig.build.json"], { cwd: shopFolder });
  });
  guardAgainstLeaks();

  for (const major of [20, 22, 24, 26]) {
    test(`serves and sells on Node ${major}`, async () => {
      const shop = await openShop(nodeBinary(major), "dist/server.js");
      const about = await getJson(shop.url, "/api/about");
      assert.match(about.node, new RegExp(`^${major}\\.`));
      assert.equal((await buyTea(shop.url, "ann")).totalCents, 1422 + 490);
      await shop.process.stop();
    });
  }
});

describe("edits to try", () => {
  let copy: { folder: string; remove: () => Promise<void> };
  before(async () => {
    copy = await copyShop();
  });
  after(() => copy.remove());
  guardAgainstLeaks();

  /** What a shop that starts with the sources as they are now shows to a customer. */
  async function coldAnswer(): Promise<{ sold: any; about: any }> {
    const shop = await openShop(process.execPath, "src/server.ts", copy.folder);
    try {
      return { sold: await buyTea(shop.url, "ann"), about: await getJson(shop.url, "/api/about") };
    } finally {
      await shop.process.stop();
    }
  }

  test("each finds its place, and is undone to the last byte", async () => {
    for (const edit of shopEdits) {
      const path = join(copy.folder, edit.file);
      const original = await readFile(path, "utf8");
      await makeEdit(copy.folder, edit);
      assert.notEqual(await readFile(path, "utf8"), original, edit.name);
      await assert.rejects(makeEdit(copy.folder, edit), /holds the text to replace 0 times/, edit.name);
      await undoEdit(copy.folder, edit);
      assert.equal(await readFile(path, "utf8"), original, edit.name);
    }
  });

  test("all together make a shop that starts and shows them, with one stamp on every rule", async () => {
    const plain = await coldAnswer();
    assert.deepEqual(plain.sold.receipt.slice(1, 3), ["2 × Assam Breakfast €14.22 (gift)", "Shipping €4.90"]);
    for (const edit of shopEdits) await makeEdit(copy.folder, edit);
    await stampRevisions(copy.folder, "r7");
    const edited = await coldAnswer();
    assert.deepEqual(edited.sold.receipt.slice(1, 4), ["2 × Assam Breakfast 12.80 € (gift)", "Extras 7.00 €", "Shipping 4.90 €"]);
    const one = { pricing: "r7", discounts: "r7", money: "r7", tax: "r7" };
    assert.deepEqual([edited.sold.revisions, edited.sold.receiptRevisions, edited.about.revisions], [one, one, one]);
  });

  test("refuse a stamp that would break out of its string", async () => {
    await assert.rejects(stampRevisions(copy.folder, '"; process.exit(); "'), RangeError);
    assert.equal(chargeForGiftWrap.outcome, "live");
  });
});

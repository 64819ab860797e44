import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { globSync, readFileSync } from "node:fs";
import { stripTypeScriptTypes } from "node:module";
import path from "node:path";
import { describe, test } from "node:test";
import { fileURLToPath } from "node:url";
import { analyzeUnit, planTransition, type AppShape, type Plan } from "@midflight/planner";
import type { Digest } from "@midflight/protocol";
import { bulkDiscountFromTwo, cartsKnowTheirCurrency, chargeForGiftWrap, euroAfterAmount, restockTwiceAsOften, type ShopEdit } from "../../../examples/shop/edits.ts";

const shop = fileURLToPath(new URL("../../../examples/shop/", import.meta.url));
const hash = (bytes: Uint8Array | string): Digest => `sha256:${createHash("sha256").update(bytes).digest("hex")}`;

/** The shop as the publisher would collect it, after an edit. */
function shopWith(edit: ShopEdit | null): AppShape {
  const units = globSync("src/**/*.{ts,cjs}", { cwd: shop }).map((file) => {
    let source = readFileSync(path.join(shop, file), "utf8");
    for (const step of edit?.file === file ? edit.steps : []) {
      assert.ok(source.includes(step.find), `${file} has no longer what ${edit!.name} replaces`);
      source = source.replace(step.find, () => step.replace);
    }
    const format = file.endsWith(".cjs") ? "cjs" : "esm";
    return [file, analyzeUnit(file, file.endsWith(".ts") ? stripTypeScriptTypes(source) : source, format, hash)] as const;
  });
  return { units: new Map(units), assets: new Map(), lock: null };
}

const boot = shopWith(null);
const planOf = (edit: ShopEdit): Plan => planTransition({ boot, target: shopWith(edit), hash });

describe("the shop", () => {
  test("is instrumented in all of its units", () => {
    assert.ok(boot.units.size > 20);
    assert.deepEqual([...boot.units.values()].filter((unit) => unit.refused !== null), []);
  });

  for (const [edit, rung] of [[euroAfterAmount, "patch"], [bulkDiscountFromTwo, "patch"], [chargeForGiftWrap, "redefine"]] as const) {
    test(`takes it live to ${edit.name}`, () => {
      const plan = planOf(edit);
      assert.equal(plan.rung, rung, JSON.stringify(plan.verdicts));
      assert.deepEqual(plan.verdicts.map(({ unit }) => unit), [edit.file]);
      assert.deepEqual(plan.units.map(({ unit }) => unit), [edit.file]);
    });
  }

  test("is not to be changed in place to let each cart know its currency, and is told that open carts lack the field", () => {
    const { rung, units, verdicts } = planOf(cartsKnowTheirCurrency);
    assert.equal(rung, "replace");
    assert.deepEqual(units, []);
    assert.match(verdicts[0]?.reason ?? "", /class Cart: fields.* changed; live instances keep the old shape/);
    assert.match(verdicts[0]?.evidence[0] ?? "", /^src\/cart\.ts:\d+$/);
  });

  test("is not to be changed in place to restock twice as often, and is told who started the timer", () => {
    const { rung, verdicts } = planOf(restockTwiceAsOften);
    assert.equal(rung, "replace");
    assert.match(verdicts[0]?.reason ?? "", /startRestocking\(\): it may have run when the process started \(called from .*onReady.* in src\/app\.ts\)/);
  });

  test("goes back the way it came", () => {
    const plan = planTransition({ boot, target: shopWith(null), touched: new Set([chargeForGiftWrap.file]), hash });
    assert.equal(plan.rung, "patch");
    assert.deepEqual(plan.verdicts, []);
  });

  test("is planned the same way each time, byte for byte", () => {
    assert.equal(JSON.stringify(planOf(chargeForGiftWrap)), JSON.stringify(planOf(chargeForGiftWrap)));
  });
});

import assert from "node:assert/strict";
import { after, describe, test } from "node:test";
import { buildApp } from "../src/app.ts";
import { createShop } from "../src/shop.ts";
import { order, put } from "./support.ts";

const shop = createShop({ paymentMs: 0 });
const app = buildApp({ shop });
after(() => app.close());

const get = async (url: string): Promise<{ status: number; body: any; text: string; type: string }> => {
  const response = await app.inject(url);
  const type = String(response.headers["content-type"]);
  return { status: response.statusCode, text: response.body, type, body: type.includes("json") ? response.json() : null };
};

describe("catalogue", () => {
  test("lists every product with a price that people can read, and sales taken off", async () => {
    const { body } = await get("/api/products");
    assert.equal(body.products.length, 12);
    const assam = body.products.find((product: { sku: string }) => product.sku === "assam");
    assert.deepEqual([assam.priceCents, assam.price, assam.was], [711, "€7.11", "€7.90"]);
    const grinder = body.products.find((product: { sku: string }) => product.sku === "grinder");
    assert.deepEqual([grinder.price, grinder.was], ["€89.00", null]);
  });

  test("does not know a product that it does not sell", async () => {
    assert.equal((await get("/api/products/soup")).status, 404);
    assert.equal(await put(app, "eve", { sku: "soup" }), 404);
  });
});

describe("cart", () => {
  test("prices bulk, coupon, shipping and the tax contained", async () => {
    assert.equal(await put(app, "ann", { sku: "assam", quantity: 3 }), 201);
    assert.equal(await put(app, "ann", { sku: "mug", gift: true }), 201);
    const { body } = await get("/api/cart/ann?coupon=WELCOME&country=NL");
    // 3 × 711 less a tenth = 1920, and a mug
    assert.equal(body.subtotalCents, 1920 + 1800);
    assert.equal(body.discountCents, 186);
    assert.equal(body.shippingCents, 290);
    assert.equal(body.totalCents, 3720 - 186 + 290);
    assert.equal(body.includedTaxCents, Math.round((3824 * 21) / 121));
    assert.equal(body.total, "€38.24");
    assert.deepEqual([body.pieces, body.additions], [4, 2]);
  });

  test("belongs to one customer", async () => {
    assert.equal((await get("/api/cart/bob")).body.pieces, 0);
  });

  test("refuses what is not an item", async () => {
    for (const item of [{}, { sku: "mug", quantity: 0 }, { sku: "mug", quantity: 1.5 }, { sku: "mug", quantity: 100 }]) {
      assert.equal(await put(app, "carl", item), 400, JSON.stringify(item));
    }
    assert.equal(await put(app, "../etc", { sku: "mug" }), 404);
  });
});

describe("checkout", () => {
  test("numbers orders one after another, and empties the cart", async () => {
    await put(app, "dora", { sku: "sencha" });
    const first = await order(app, "dora");
    await put(app, "dora", { sku: "sencha" });
    const second = await order(app, "dora");
    assert.equal(first["status"], 201);
    assert.equal(second["number"], Number(first["number"]) + 1);
    assert.notEqual(first["order"], second["order"]);
    assert.equal((await get("/api/cart/dora")).body.pieces, 0);
    assert.equal((await get(`/api/orders/${String(first["order"])}`)).body.customer, "dora");
  });

  test("sells a cart once when two checkouts race for it", async () => {
    await put(app, "finn", { sku: "kettle" });
    const outcomes = await Promise.all([order(app, "finn"), order(app, "finn")]);
    assert.deepEqual(outcomes.map((outcome) => outcome["status"]).sort(), [201, 409]);
  });

  test("takes an order for more than there is, and says how many pieces follow later", async () => {
    await put(app, "gina", { sku: "dripper", quantity: 99 });
    const sold = await order(app, "gina");
    assert.equal(sold["status"], 201);
    assert.equal(sold["laterPieces"], 59);
    assert.equal(shop.warehouse.levelOf("dripper"), 0);
  });

  test("writes a receipt that adds up", async () => {
    await put(app, "hal", { sku: "rooibos", quantity: 2, gift: true });
    const { receipt } = await order(app, "hal");
    assert.ok(Array.isArray(receipt));
    assert.deepEqual(receipt.slice(1), ["2 × Rooibos Orange €12.42 (gift)", "Shipping €4.90", "Total €17.32 (incl. €2.77 VAT)", "Thank you, and enjoy."]);
  });
});

describe("pages and health", () => {
  test("shows every product on the front page", async () => {
    const { text, type } = await get("/");
    assert.match(type, /^text\/html/);
    assert.equal(text.match(/<article /g)?.length, 12);
    assert.match(text, /€14\.90/);
  });

  test("sends the browser a script that parses", async () => {
    const { text, type } = await get("/shop.js");
    assert.match(type, /javascript/);
    const AsyncFunction = (async () => {}).constructor as new (body: string) => unknown;
    assert.doesNotThrow(() => new AsyncFunction(text));
  });

  test("says which process answers and what it remembers", async () => {
    const { body } = await get("/api/about");
    assert.equal(body.pid, process.pid);
    assert.equal(body.orderPrefix, shop.orders.prefix);
    assert.equal(body.requests, shop.requests);
    assert.ok(body.orders > 0 && body.carts > 0);
  });

  test("is alive and ready", async () => {
    assert.equal((await get("/livez")).status, 200);
    assert.deepEqual((await get("/readyz")).body, { status: "ready" });
  });
});

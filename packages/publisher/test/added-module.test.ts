import assert from "node:assert/strict";
import { test } from "node:test";
import { openRegistry } from "@midflight/registry";
import { bootAgent, createShop, published } from "./shop.ts";

const using = { "src/price.js": 'import { extra } from "./extra.js";\nexport function price(n) {\n  return n * 2 + extra();\n}\n' };
const extra = (n: number): Record<string, string> => ({ "src/extra.js": `export function extra() {\n  return ${n};\n}\n` });

test("a module that was added while processes ran can go and come back, and needs new processes once it changes", async (t) => {
  const registry = openRegistry({ path: ":memory:" });
  t.after(() => registry.close());
  const shop = createShop(t, registry);
  const { release } = published(await shop.save({}));
  await bootAgent(registry, release);
  assert.equal(published(await shop.save({ ...using, ...extra(1) })).rung, "redefine");
  const changed = await shop.save(extra(2));
  assert.equal(changed.kind === "refused" && changed.code, "REPLACE_NEEDED", JSON.stringify(changed));
  assert.match(changed.kind === "refused" ? changed.reason : "", /src\/extra\.js: a module that was added while processes ran, and changed since/);
  published(await shop.publisher.rollback());
  assert.equal(published(await shop.save(extra(1))).rung, "redefine", "the same text again is what is loaded already");
  const again = await shop.again().plan(await shop.collect());
  assert.equal(again.isUnchanged, true);
});

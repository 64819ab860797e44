import assert from "node:assert/strict";
import { test } from "node:test";
import { openMemoryRegistry } from "@midflight/registry";
import { bootAgent, createShop, priceOf, published } from "./shop.ts";

const poll = (ms: number): Record<string, string> => ({
  "src/poll.js": `const timer = setInterval(() => undefined, ${ms});\nexport const every = () => timer;\nimport.meta.hot?.dispose(() => clearInterval(timer));\nimport.meta.hot?.accept();\n`,
  "src/server.js": 'import { price } from "./price.js";\nimport { every } from "./poll.js";\nexport function handle(n) {\n  return [price(n), every()];\n}\n',
});

test("a reload is refused below its rung, goes live within it, and both ways say so", async (t) => {
  const registry = openMemoryRegistry();
  const shop = createShop(t, registry);
  const first = published(await shop.save(poll(1000)));
  await bootAgent(registry, first.release);
  shop.project.write(poll(500));
  const tree = await shop.collect();
  const refused = await shop.publisher.publish(tree, { maxRung: "redefine" });
  assert.deepEqual(refused.kind === "refused" && [refused.code, refused.rung], ["RUNG_TOO_HIGH", "reload"]);
  const second = published(await shop.publisher.publish(tree));
  assert.equal(second.rung, "reload");
  assert.deepEqual(second.verdicts.map(({ unit, rung }) => [unit, rung]), [["src/poll.js", "reload"]]);

  shop.project.write(priceOf(3));
  const other = await shop.publisher.plan(await shop.collect());
  assert.ok(other.verdicts.every(({ unit, rung }) => unit !== "src/poll.js" || rung === "patch"), JSON.stringify(other.verdicts));

  shop.project.write(poll(1000));
  const back = await shop.publisher.plan(await shop.collect());
  const verdict = back.verdicts.find(({ unit }) => unit === "src/poll.js");
  assert.deepEqual([back.rung, verdict?.rung], ["reload", "reload"], JSON.stringify(back.verdicts));
});

import assert from "node:assert/strict";
import { existsSync, readdirSync, readFileSync } from "node:fs";
import path from "node:path";
import { describe, test } from "node:test";
import { setTimeout as delay } from "node:timers/promises";
import { describeLoad, guardAgainstLeaks } from "@midflight/testkit";
import { openReplacedShop } from "./replace/replaced-shop.ts";
import { startClients } from "./replace/shop-clients.ts";

describe("a framework is upgraded", () => {
  guardAgainstLeaks();

  test("no request fails while the shop's Fastify goes up by a minor version, and back by one command", { timeout: 180_000 }, async (t) => {
    const shop = await openReplacedShop([24]);
    const versions = (): readonly string[] => {
      const logs = path.join(shop.directory, ".midflight/logs");
      return readdirSync(logs).filter((name) => name.startsWith("node24")).flatMap((name) => [...readFileSync(path.join(logs, name), "utf8").matchAll(/^(\d+) runs Fastify (\S+)$/gm)]).sort((a, b) => Number(a[1]) - Number(b[1])).map((match) => match[2]!);
    };
    const kept = async (count: number): Promise<void> => {
      const at = path.join(shop.directory, ".midflight/packages");
      while (!existsSync(at) || readdirSync(at).filter((name) => !name.includes(".")).length < count) await delay(20, undefined, { signal: t.signal });
    };
    try {
      shop.installFastify("fastify-before");
      shop.change('const { createRequire } = await import("node:module"); console.log(`${Date.now()} runs Fastify ${createRequire(import.meta.url)("fastify/package.json").version}`);');
      const up = await shop.up();
      await kept(1);
      const clients = startClients(shop.urls.get("node24")!, 40);
      shop.installFastify("fastify");
      const deploy = await shop.run("deploy", "--max-rung", "replace");
      assert.deepEqual([deploy.code, deploy.json["rung"]], [0, "replace"], deploy.text);
      assert.match(deploy.text, /fastify 5\.11\.3 → 5\.12\./);
      const back = await shop.run("rollback");
      assert.equal(back.code, 0, back.text);
      await clients.streamsEnded(2);
      const { load, faults } = await clients.stop();
      t.diagnostic(describeLoad(load));
      assert.deepEqual([load.failed, faults], [0, []]);
      const [before, after, again] = versions();
      assert.match(`${before} ${after} ${again}`, /^5\.11\.3 5\.12\.\d+ 5\.11\.3$/);
      await up.stop({ withinMs: 30_000 });
    } finally {
      shop.remove();
    }
  });
});

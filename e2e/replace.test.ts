import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { describeLoad, guardAgainstLeaks } from "@midflight/testkit";
import { nodeMajors } from "../scripts/node-versions.mjs";
import { openReplacedShop } from "./replace/replaced-shop.ts";
import { startClients } from "./replace/shop-clients.ts";

/** More by choice; the bench takes many. */
const replaces = Number(process.env["MIDFLIGHT_REPLACES"] ?? 2);

describe("replace", () => {
  guardAgainstLeaks();

  test(`no request of the shop fails while each process is replaced ${replaces} times, on every version of Node`, async (t) => {
    const shop = await openReplacedShop(nodeMajors);
    try {
      const up = await shop.up();
      const clients = [...shop.urls.values()].map((url) => startClients(url, 40));
      const pids = new Set(shop.records().map(({ identity }) => identity?.pid));
      for (let round = 1; round <= replaces; round++) {
        shop.change(`globalThis.round = ${round};`);
        const deploy = await shop.run("deploy", "--max-rung", "replace");
        assert.deepEqual([deploy.code, deploy.json["rung"], deploy.json["confirmed"]], [0, "replace", nodeMajors.length], deploy.text);
        for (const { identity } of shop.records()) pids.add(identity?.pid);
      }
      await Promise.all(clients.map((one) => one.streamsEnded(replaces)));
      const reports = await Promise.all(clients.map((one) => one.stop()));
      for (const { load, faults, uploads, streams } of reports) {
        t.diagnostic(`${describeLoad(load)} · ${uploads} uploads · ${streams} streams`);
        assert.deepEqual(faults, []);
        assert.equal(load.failed, 0);
        assert.ok(uploads > 0 && streams >= replaces);
      }
      assert.equal(pids.size, nodeMajors.length * (replaces + 1), "each target was another process after each replacement");
      assert.deepEqual(up.stdout.lines.filter((line) => /started anew/.test(line)), []);
      await up.stop({ withinMs: 30_000 });
    } finally {
      shop.remove();
    }
  });
});

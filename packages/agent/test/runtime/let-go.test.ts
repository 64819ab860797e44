import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import { afterEach, describe, test } from "node:test";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { nodeBinary, nodeMajors } from "../../../../scripts/node-versions.mjs";
import { LiveUnits } from "../support/live-units.ts";

const run = promisify(execFile);
const textWith = (table: string): string => `const table = ${table};\nexport function read() {\n  return table;\n}\n`;

describe("what updates leave behind", () => {
  const open: LiveUnits[] = [];
  afterEach(() => {
    for (const live of open.splice(0)) live.close();
  });

  test("a constant that was gone for a while is the very object that somebody kept", async () => {
    const live = new LiveUnits({ "m.mjs": textWith("{ a: 1 }") });
    open.push(live);
    const { read } = await live.load("m.mjs");
    await live.swap({ "m.mjs": textWith("{ a: 2 }") });
    const kept = read!();
    for (const a of [3, 4, 5]) {
      await live.swap({ "m.mjs": textWith(`{ a: ${a} }`) });
      assert.deepEqual(read!(), { a });
    }
    await live.swap({ "m.mjs": textWith("{ a: 2 }") });
    assert.equal(read!(), kept);
  });

  test("a constant that nobody kept is made again, and is the same", async () => {
    const live = new LiveUnits({ "m.mjs": textWith("1") });
    open.push(live);
    const { read } = await live.load("m.mjs");
    for (const table of ["2", "3", "2", "[4]", "5", "[4]", "1", "2"]) {
      await live.swap({ "m.mjs": textWith(table) });
      assert.deepEqual(read!(), JSON.parse(table));
    }
  });

  for (const major of nodeMajors) {
    test(`V8 keeps no compiled text of a body, a constant or a function that came and went (Node ${major})`, async () => {
      const { stdout } = await run(nodeBinary(major), ["--expose-gc", fileURLToPath(new URL("../support/eval-heap.mjs", import.meta.url))]);
      const { keptBytes, unguardedBytes } = JSON.parse(stdout) as { keptBytes: number; unguardedBytes: number };
      assert.ok(unguardedBytes > 300, `without the form it keeps ${unguardedBytes} bytes of each text: the form is of use`);
      assert.ok(keptBytes < 100, `${keptBytes} bytes of each text`);
    });
  }
});

import assert from "node:assert/strict";
import { test } from "node:test";
import { Instance } from "../../src/runtime/instance.ts";
import { InstanceTable } from "../../src/runtime/instance-table.ts";

const make = (unit: string): Instance => new Instance(unit, "tag", `file:///${unit}`, () => undefined);

test("a swap looks at the instances that it names and at those that an overlay has written to, whatever else is loaded", () => {
  const table = new InstanceTable();
  const instances = Array.from({ length: 5000 }, (_, i) => make(`m${i}.mjs`));
  for (const instance of instances) table.add(instance);
  const [first, second, third] = instances as [Instance, Instance, Instance];
  for (const instance of [first, second]) {
    instance.live = new Map([["$mf_a", () => undefined]]);
    table.markChanged(instance);
  }
  assert.deepEqual([...table.concernedBy(["m1.mjs", "m2.mjs", "unknown.mjs"])], [second, third, first]);
  first.live = new Map();
  table.settle();
  assert.deepEqual([...table.changed], [second]);
  assert.deepEqual([...table.concernedBy([])], [second]);
});

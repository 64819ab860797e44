import assert from "node:assert/strict";
import { test } from "node:test";
import { maxMessageBytes } from "../src/frames.ts";
import { Outbox } from "../src/outbox.ts";

test("ids count from 1, and what is acknowledged makes room", () => {
  const outbox = new Outbox({ maxMessages: 2, maxBytes: 100 });
  assert.deepEqual([outbox.add("a"), outbox.add("b")], [{ kind: "queued", n: 1 }, { kind: "queued", n: 2 }]);
  assert.deepEqual(outbox.add("c"), { kind: "refused", why: "full" });
  assert.equal(outbox.acknowledge(1), true);
  assert.deepEqual(outbox.add("c"), { kind: "queued", n: 3 });
  assert.deepEqual([[...outbox], outbox.first, outbox.size], [[{ n: 2, data: "b" }, { n: 3, data: "c" }], 2, 2]);
});

test("the bound in bytes is of UTF-8, and is given back", () => {
  const outbox = new Outbox({ maxMessages: 10, maxBytes: 6 });
  assert.equal(outbox.add("€€").kind, "queued");
  assert.deepEqual(outbox.add("a"), { kind: "refused", why: "full" });
  outbox.acknowledge(1);
  assert.equal(outbox.add("€€").kind, "queued");
});

test("a message that is too large is refused at once, and takes no id", () => {
  const outbox = new Outbox({ maxMessages: 10, maxBytes: 1_048_576 });
  assert.deepEqual(outbox.add("x".repeat(maxMessageBytes + 1)), { kind: "refused", why: "too-large" });
  assert.deepEqual(outbox.add("x".repeat(maxMessageBytes)), { kind: "queued", n: 1 });
});

test("an acknowledgement counts for all before it, may be repeated, and cannot be of what was never sent", () => {
  const outbox = new Outbox({ maxMessages: 10, maxBytes: 100 });
  for (const data of ["a", "b", "c"]) outbox.add(data);
  assert.equal(outbox.acknowledge(2), true);
  assert.equal(outbox.acknowledge(1), true);
  assert.equal(outbox.acknowledge(4), false);
  assert.deepEqual([...outbox], [{ n: 3, data: "c" }]);
  assert.equal(outbox.acknowledge(3), true);
  assert.deepEqual([outbox.first, outbox.size], [4, 0]);
});

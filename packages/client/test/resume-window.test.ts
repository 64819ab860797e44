import assert from "node:assert/strict";
import { test } from "node:test";
import { createResumeWindow } from "../src/resume-window.ts";

test("who has a connection is remembered; who is gone, for a time", () => {
  let now = 0;
  const window = createResumeWindow({ ttlMs: 100, now: () => now });
  const here = window.take("here");
  here.holder = {};
  window.take("gone").last = 7;
  window.release("here");
  window.release("gone");
  now = 99;
  assert.equal(window.take("gone").last, 7);
  window.release("gone");
  now = 198;
  assert.equal(window.take("gone").last, 7, "its time runs from when it was last here");
  window.release("gone");
  now = 298;
  assert.equal(window.take("gone").last, null);
  assert.equal(window.take("here"), here);
});

test("of those who are gone, the longest gone are forgotten first, beyond the bound", () => {
  const window = createResumeWindow({ maxIds: 2, now: () => 0 });
  for (const key of ["a", "b", "c"]) {
    window.take(key).last = 1;
    window.release(key);
  }
  assert.equal(window.size, 2);
  assert.deepEqual(["c", "b", "a"].map((key) => window.take(key).last), [1, 1, null]);
});

test("who has work under way is not forgotten", () => {
  const window = createResumeWindow({ maxIds: 0, now: () => 0 });
  const entry = window.take("a");
  entry.pending = 1;
  window.release("a");
  assert.equal(window.take("a"), entry);
  entry.pending = 0;
  window.release("a");
  assert.equal(window.size, 0);
});

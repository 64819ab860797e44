import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { describe, test } from "node:test";
import { agentTransitions } from "@midflight/protocol";

const text = readFileSync(new URL("../../../spec/agent.md", import.meta.url), "utf8");
const expected = Object.entries(agentTransitions).flatMap(([from, events]) =>
  Object.entries(events).flatMap(([event, to]) => (to === null ? [] : [`${from} ${event} ${to}`])),
);

describe("spec/agent.md", () => {
  test("has exactly the transitions of the protocol in its table", () => {
    const rows = [...text.matchAll(/^\| (\w+) \| (\w+) \| (\w+) \|$/gm)].map(([, from, event, to]) => `${from} ${event} ${to}`);
    assert.deepEqual(rows.toSorted(), expected.toSorted());
  });

  test("draws exactly those, but for stop", () => {
    const arrows = [...text.matchAll(/^ {2}(\w+) --> (\w+): (\w+)$/gm)].map(([, from, to, event]) => `${from} ${event} ${to}`);
    assert.deepEqual(arrows.toSorted(), expected.filter((e) => !e.includes(" stop ")).toSorted());
  });
});

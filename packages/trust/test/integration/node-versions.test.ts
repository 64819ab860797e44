import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import { test } from "node:test";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { nodeBinary, nodeMajors } from "../../../../scripts/node-versions.mjs";

const run = promisify(execFile);
const checks = fileURLToPath(new URL("../fixtures/vector-checks.mjs", import.meta.url));

for (const major of nodeMajors) {
  test(`what is published holds every vector of the spec on Node ${major}`, async () => {
    const { stdout, stderr } = await run(nodeBinary(major), [checks]); // without the source condition: dist
    assert.match(stdout, new RegExp(`^\\d+ checks on v${major}\\.`));
    assert.equal(stderr, "");
  });
}

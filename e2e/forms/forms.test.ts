import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { mkdtempSync, realpathSync, rmSync } from "node:fs";
import os from "node:os";
import path from "node:path";
import { after, before, describe, test } from "node:test";
import { text } from "node:stream/consumers";
import { nodeBinary, nodeMajors } from "../../scripts/node-versions.mjs";
import { layOutForms } from "./lay-out.ts";

// Plain JavaScript without types, because every Node runs it.
const { cases, hardEntries } = (await import(new URL("cases.mjs", import.meta.url).href)) as {
  readonly cases: readonly { readonly name: string }[];
  readonly hardEntries: Readonly<Record<string, readonly string[]>>;
};

interface Judged {
  readonly name: string;
  readonly faults: readonly string[];
}

/** Judges every case under one Node. Throws with what the host said if it did not come to its end. */
async function judgeAll(host: string, major: number, directory: string): Promise<readonly Judged[]> {
  const child = spawn(nodeBinary(major), ["--no-warnings", host, path.join(path.dirname(host), "cases.mjs"), directory], { stdio: ["ignore", "pipe", "pipe"] });
  const closed = new Promise<number | null>((resolve) => child.once("close", resolve));
  const [stdout, stderr, status] = await Promise.all([text(child.stdout), text(child.stderr), closed]);
  assert.equal(status, 0, `the host ended with ${status}: ${stderr}`);
  return stdout.trim().split("\n").map((line) => JSON.parse(line) as Judged);
}

describe("a swapped process does what a cold start would, or the swap is refused", { concurrency: 2 }, () => {
  let directory: string;
  let host: string;
  before(() => {
    directory = mkdtempSync(path.join(realpathSync(os.tmpdir()), "midflight-forms-"));
    host = layOutForms(directory);
  });
  after(() => rmSync(directory, { recursive: true, force: true }));

  test("no two cases have the same name", () => {
    assert.equal(new Set(cases.map(({ name }) => name)).size, cases.length);
  });

  test("whatever is known to be hard on a live change has its cases", () => {
    const known = new Set(cases.map(({ name }) => name));
    const named = Object.values(hardEntries).flat();
    assert.ok(Object.keys(hardEntries).length > 20 && named.length > 60);
    assert.deepEqual(named.filter((name) => !known.has(name)), []);
  });

  for (const major of nodeMajors) {
    test(`on Node ${major}, there, back and there again`, async () => {
      const judged = await judgeAll(host, major, path.join(directory, `runs-${major}`));
      assert.deepEqual(judged.map(({ name }) => name), cases.map(({ name }) => name), "a case was not judged");
      const failing = judged.filter(({ faults }) => faults.length > 0);
      assert.equal(failing.length, 0, `${failing.length} of ${judged.length} cases:\n${failing.map(({ name, faults }) => `  ${name}\n    ${faults.join("\n    ")}`).join("\n")}`);
    });
  }
});

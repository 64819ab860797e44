import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import { mkdtempSync, realpathSync, rmSync } from "node:fs";
import os from "node:os";
import path from "node:path";
import { after, before, describe, test } from "node:test";
import { promisify } from "node:util";
import { nodeBinary, nodeMajors } from "../../scripts/node-versions.mjs";
import { layOut } from "../forms/lay-out.ts";

const run = promisify(execFile);

interface Said {
  readonly name: string;
  readonly got: unknown;
  readonly want: unknown;
}

describe("a module with hooks runs its top level again, or all stays as it was", { concurrency: 2 }, () => {
  let directory: string;
  before(() => {
    directory = mkdtempSync(path.join(realpathSync(os.tmpdir()), "midflight-reload-"));
    layOut(directory, ["forms", "reload"]);
  });
  after(() => rmSync(directory, { recursive: true, force: true }));

  for (const major of nodeMajors) {
    test(`on Node ${major}`, async () => {
      const { stdout } = await run(nodeBinary(major), ["--no-warnings", path.join(directory, "reload-host.mjs"), directory]);
      const said = stdout.trim().split("\n").map((line) => JSON.parse(line) as Said);
      assert.equal(said.length, 63, "every promise was judged");
      for (const { name, got, want } of said) assert.deepEqual(got, want, name);
    });
  }
});

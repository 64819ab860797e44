import assert from "node:assert/strict";
import { existsSync, mkdirSync, readdirSync, readFileSync, renameSync, rmSync, statSync, writeFileSync } from "node:fs";
import path from "node:path";
import { test } from "node:test";
import { setImmediate as turn, setTimeout } from "node:timers/promises";
import * as fc from "fast-check";
import { sha256 } from "@midflight/trust";
import { watchDirectory } from "../../src/index.ts";
import { createProject } from "../project.ts";

const names = ["a", "b", "c.js", "d.js"];
const place = fc.array(fc.constantFrom(...names), { minLength: 1, maxLength: 3 }).map((parts) => parts.join("/"));
/** What builds do to a folder; `turn` lets the watch see what has happened so far. */
const step = fc.oneof(
  { weight: 6, arbitrary: fc.record({ op: fc.constant("write" as const), at: place, text: fc.string({ maxLength: 8 }) }) },
  { weight: 2, arbitrary: fc.record({ op: fc.constant("remove" as const), at: place }) },
  { weight: 2, arbitrary: fc.record({ op: fc.constant("move" as const), at: place, to: place }) },
  { weight: 1, arbitrary: fc.record({ op: fc.constant("mkdir" as const), at: place }) },
  { weight: 1, arbitrary: fc.record({ op: fc.constant("clean" as const) }) },
  { weight: 3, arbitrary: fc.record({ op: fc.constant("turn" as const) }) },
);

function filesBelow(directory: string): Record<string, string> {
  const out: Record<string, string> = {};
  if (!existsSync(directory)) return out;
  for (const entry of readdirSync(directory, { recursive: true, withFileTypes: true })) {
    const file = path.join(entry.parentPath, entry.name);
    if (entry.isFile() && entry.name !== ".done") out[path.join("dist", path.relative(directory, file))] = sha256(readFileSync(file));
  }
  return out;
}

type Change = { readonly op: "write"; readonly at: string; readonly text: string } | { readonly op: "remove" | "mkdir"; readonly at: string } | { readonly op: "move"; readonly at: string; readonly to: string };

function apply(dist: string, change: Change): void {
  const at = path.join(dist, change.at);
  switch (change.op) {
    case "mkdir":
      mkdirSync(at, { recursive: true });
      return;
    case "remove":
      rmSync(at, { recursive: statSync(at).isDirectory() });
      return;
    case "write":
      mkdirSync(path.dirname(at), { recursive: true });
      writeFileSync(at, change.text);
      return;
    case "move": {
      const to = path.join(dist, change.to);
      mkdirSync(path.dirname(to), { recursive: true });
      renameSync(at, to);
    }
  }
}

/** Steps that the file system refuses (a file where a folder is needed) are no steps. */
function attempt(run: () => void): void {
  try {
    run();
  } catch (error) {
    assert.ok(error instanceof Error && "code" in error, String(error));
  }
}

async function within<T>(ms: number, work: Promise<T>): Promise<T> {
  const timer = new AbortController();
  const late = setTimeout(ms, null, { signal: timer.signal }).then(() => assert.fail(`nothing came within ${ms} ms`));
  try {
    return await Promise.race([work, late]);
  } finally {
    timer.abort();
    late.catch(() => undefined);
  }
}

test("whatever a build does, the batch that its marker ends is exactly what lies on disk", async (t) => {
  await fc.assert(
    fc.asyncProperty(fc.array(fc.array(step, { maxLength: 25 }), { minLength: 1, maxLength: 4 }), async (builds) => {
      const project = createProject(t, { "dist/seed.js": "1" });
      const dist = path.join(project.dir, "dist");
      const source = watchDirectory({ projectDir: project.dir, code: ["dist"], marker: "dist/.done" });
      const batches = source[Symbol.asyncIterator]();
      try {
        await batches.next();
        for (const [round, steps] of builds.entries()) {
          for (const s of steps) {
            if (s.op === "turn") await turn();
            else if (s.op === "clean") rmSync(dist, { recursive: true, force: true });
            else attempt(() => apply(dist, s));
          }
          mkdirSync(dist, { recursive: true });
          // Never the same twice, so that each marker yields a batch.
          writeFileSync(path.join(dist, "round.js"), `${round}`);
          writeFileSync(path.join(dist, ".done"), "");
          const batch = await within(60_000, batches.next());
          assert.equal(batch.done, false);
          const seen = Object.fromEntries([...batch.value.files].map(([name, file]) => [name, file.digest]));
          assert.deepEqual(seen, filesBelow(dist));
        }
      } finally {
        source.close();
      }
    }),
    { numRuns: 150, endOnFailure: true },
  );
});

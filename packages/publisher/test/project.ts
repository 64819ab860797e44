import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import type { TestContext } from "node:test";
import type { Batch, WatchedDirectory } from "../src/index.ts";

export interface Project {
  readonly dir: string;
  /** Writes files, making folders as needed. */
  write(files: Readonly<Record<string, string>>): void;
  remove(path: string): void;
}

/** A project folder of its own, removed after the test. */
export function createProject(t: TestContext, files: Readonly<Record<string, string>> = {}): Project {
  const dir = mkdtempSync(path.join(tmpdir(), "midflight-publisher-"));
  t.after(() => rmSync(dir, { recursive: true, force: true }));
  const project: Project = {
    dir,
    write(more) {
      for (const [name, text] of Object.entries(more)) {
        mkdirSync(path.dirname(path.join(dir, name)), { recursive: true });
        writeFileSync(path.join(dir, name), text);
      }
    },
    remove: (name) => rmSync(path.join(dir, name), { recursive: true, force: true }),
  };
  project.write(files);
  return project;
}

/** Takes batches one by one; the watch is closed after the test. */
export function takeBatches(t: TestContext, source: WatchedDirectory): { next(): Promise<Batch>; until(isDone: (batch: Batch) => boolean): Promise<Batch> } {
  const iterator = source[Symbol.asyncIterator]();
  t.after(() => source.close());
  const next = async (): Promise<Batch> => {
    const result = await iterator.next();
    if (result.done === true) throw new Error("the watch ended");
    return result.value;
  };
  return {
    next,
    async until(isDone) {
      for (;;) {
        const batch = await next();
        if (isDone(batch)) return batch;
      }
    },
  };
}

export function textOf(batch: Batch, name: string): string | null {
  const file = batch.files.get(name);
  return file === undefined ? null : Buffer.from(file.read()).toString();
}

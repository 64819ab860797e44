import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { spreadOf, type Spread } from "../statistics.ts";
import { appFiles, moduleFile, moduleText } from "./paused-app.ts";

export interface LiveEditFindings {
  readonly modules: number;
  readonly heapMb: number;
  readonly blockMs: Spread;
  readonly statuses: readonly string[];
}

interface Result {
  readonly count: number;
  readonly blockMs: number;
  readonly statuses: readonly string[];
}

/** The same edits of the same app by `Debugger.setScriptSource`, from within the process, as fast as it can be called. */
export async function measureLiveEdit(heapMb: number, counts: readonly number[], rounds: number): Promise<readonly LiveEditFindings[]> {
  const folder = mkdtempSync(path.join(tmpdir(), "midflight-bench-"));
  try {
    for (const [name, text] of Object.entries(appFiles())) {
      mkdirSync(path.dirname(path.join(folder, name)), { recursive: true });
      writeFileSync(path.join(folder, name), text);
    }
    // 50 modules take many seconds in a large heap: one round of that is enough.
    const plan = counts.flatMap((count) => Array.from({ length: count > 1 && heapMb > 10 ? 1 : rounds }, (_, i) => ({ count, files: editOf(folder, count, count * 1000 + i + 1) })));
    const results = await run(folder, heapMb, plan);
    return counts.map((modules) => {
      const own = results.filter((one) => one.count === modules);
      return { modules, heapMb, blockMs: spreadOf(own.map((one) => one.blockMs)), statuses: [...new Set(own.flatMap((one) => one.statuses))] };
    });
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

function editOf(folder: string, count: number, revision: number): [string, string][] {
  return Array.from({ length: count }, (_, i) => [path.join(folder, moduleFile(i)), moduleText(i, revision)]);
}

async function run(folder: string, heapMb: number, plan: unknown): Promise<readonly Result[]> {
  const child = spawn(process.execPath, [path.join(import.meta.dirname, "live-edit.mjs"), path.join(folder, "src/app.js")], {
    env: { ...process.env, NODE_OPTIONS: "", HEAP_MB: String(heapMb) },
    stdio: ["pipe", "pipe", "inherit"],
  });
  let output = "";
  child.stdout.on("data", (chunk: Buffer) => (output += chunk.toString()));
  child.stdin.end(JSON.stringify(plan));
  const [code] = (await once(child, "close")) as [number | null];
  const line = output.split("\n").find((text) => text.startsWith('{"event":"live-edit"'));
  if (line === undefined) throw new Error(`LiveEdit ended with ${code}: ${output}`);
  return (JSON.parse(line) as { results: readonly Result[] }).results;
}

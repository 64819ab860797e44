import { createHash } from "node:crypto";
import { mkdirSync, mkdtempSync, realpathSync, rmSync, writeFileSync } from "node:fs";
import { createRequire } from "node:module";
import os from "node:os";
import path from "node:path";
import { pathToFileURL } from "node:url";
import { analyzeUnit, hookSymbol, planTransition, type AppShape, type Plan } from "@midflight/planner";
import type { Digest } from "@midflight/protocol";
import { createRuntime, type CommitResult, type Overlay, type Runtime, type StageResult } from "../../src/runtime/runtime.ts";

export const hash = (bytes: Uint8Array | string): Digest => `sha256:${createHash("sha256").update(bytes).digest("hex")}`;
export type Files = Readonly<Record<string, string>>;
/** What tests reach into: whatever a unit exports. */
export type Exports = Readonly<Record<string, (...args: readonly unknown[]) => unknown>>;

function shapeOf(files: Files): AppShape {
  const format = (file: string): "cjs" | "esm" => (file.endsWith(".cjs") ? "cjs" : "esm");
  return { units: new Map(Object.entries(files).map(([file, text]) => [file, analyzeUnit(file, text, format(file), hash)])), assets: new Map(), lock: null };
}

/** Units in a directory of their own, booted instrumented, and a runtime that swaps them. */
export class LiveUnits {
  readonly runtime: Runtime;
  readonly #directory = mkdtempSync(path.join(realpathSync(os.tmpdir()), "midflight-runtime-"));
  readonly #boot: AppShape;
  readonly #touched = new Set<string>();

  constructor(files: Files, policy: "call" | "request" = "call") {
    this.#boot = shapeOf(files);
    for (const [file, { artifact }] of this.#boot.units) {
      const target = path.join(this.#directory, file);
      mkdirSync(path.dirname(target), { recursive: true });
      writeFileSync(target, artifact);
    }
    this.runtime = createRuntime({ releaseDirectory: this.#directory, hash, requests: { kind: policy } });
    this.runtime.install();
  }

  /** Loads a unit; `query` makes an instance of its own. */
  async load(file: string, query = ""): Promise<Exports> {
    const target = path.join(this.#directory, file);
    return file.endsWith(".cjs") ? (createRequire(import.meta.url)(target) as Exports) : ((await import(`${pathToFileURL(target).href}${query}`)) as Exports);
  }

  plan(files: Files): Plan {
    const plan = planTransition({ boot: this.#boot, target: shapeOf(files), touched: this.#touched, hash });
    if (plan.rung === "replace") throw new Error(`not to be swapped: ${JSON.stringify(plan.verdicts)}`);
    return plan;
  }

  overlay(files: Files, plan: Plan = this.plan(files)): Overlay {
    const { units } = shapeOf(files);
    const textOf = (unit: string): string => units.get(unit)!.artifact;
    return {
      release: hash(JSON.stringify(plan)),
      units: plan.units.map(({ unit, birth, ops }) => ({ birth, ops, text: textOf(unit) })),
      added: plan.added.map(({ unit, format }) => ({ unit, format, digest: hash(textOf(unit)), text: textOf(unit) })),
    };
  }

  async stage(files: Files): Promise<StageResult> {
    const overlay = this.overlay(files);
    for (const { ops } of overlay.units) this.#touched.add(ops.unit);
    return this.runtime.stage(overlay);
  }

  /** Swaps. @throws if it was refused while staging */
  async swap(files: Files): Promise<CommitResult> {
    const staged = await this.stage(files);
    if (staged.kind !== "staged") throw new Error(`refused: ${staged.reason}`);
    return this.runtime.commit(staged.staged);
  }

  close(): void {
    this.runtime.uninstall();
    delete (globalThis as Record<symbol, unknown>)[Symbol.for(hookSymbol)];
    rmSync(this.#directory, { recursive: true, force: true });
  }
}

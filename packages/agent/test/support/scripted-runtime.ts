import type { CommitResult, Overlay, Runtime, StageResult } from "../../src/runtime/runtime.ts";
import type { Drift } from "@midflight/protocol";
import { sha256 } from "@midflight/trust";

type Step = "adopt" | "stage" | "commit";

/** Stands in for the runtime where the code of an app is beside the point: it notes what it is told, and fails on demand. */
export class ScriptedRuntime implements Runtime {
  readonly log: string[] = [];
  readonly loaded: Set<string> = new Set(["app.js"]);
  live: Overlay | null = null;
  adopted: Overlay | null = null;
  refuseStage: { code: "EVAL_DISALLOWED" | "OVERLAY_FAILED" | "TRANSITION_MISSING"; reason: string; unit: string | null } | null = null;
  refuseAdopt = false;
  undoCommit = false;
  throwOnCommit = false;
  /** Awaited inside `stage`, so that a test can act meanwhile. */
  hold: Promise<void> = Promise.resolve();
  #generation = 0;

  install(): void {
    this.log.push("install");
  }

  adopt(overlay: Overlay): ReturnType<Runtime["adopt"]> {
    this.#note("adopt", overlay);
    if (this.refuseAdopt) return { kind: "refused", code: "OVERLAY_FAILED", reason: "it needs modules", unit: null };
    this.adopted = overlay;
    return { kind: "adopted" };
  }

  async stage(overlay: Overlay): Promise<StageResult> {
    this.#note("stage", overlay);
    await this.hold;
    if (this.refuseStage !== null) return { kind: "refused", ...this.refuseStage };
    return { kind: "staged", staged: overlay as never };
  }

  commit(staged: never): CommitResult {
    const overlay = staged as Overlay;
    this.#note("commit", overlay);
    if (this.throwOnCommit) throw new Error("a bug in commit");
    if (this.undoCommit) return { kind: "undone", code: "OVERLAY_FAILED", reason: "a body did not compile", unit: "price.js" };
    this.live = overlay;
    return { kind: "committed", generation: ++this.#generation, units: overlay.units.length, bodies: 0, live: sha256(overlay.release) };
  }

  usePolicy(): void {}

  drain(): Promise<null> {
    return Promise.resolve(null);
  }

  whenOverdue(): void {}

  uninstall(): void {
    this.log.push("uninstall");
  }

  /** Awaited before a swap, as requests of an older generation are. */
  drained: Promise<void> = Promise.resolve();

  /** What the next readings find. */
  drift: readonly Drift[] = [];

  async readTexts(): ReturnType<Runtime["readTexts"]> {
    return { texts: { count: 0, digest: sha256(""), declarations: [] }, drift: this.drift, longestMs: 0 };
  }

  single(): Promise<void> {
    return this.drained;
  }

  giveUpOld(): void {
    this.drained = Promise.resolve();
  }

  run<T>(work: () => T): T {
    return work();
  }

  longestBlockMs(): number {
    return 0.5;
  }

  #note(step: Step, overlay: Overlay): void {
    this.log.push(`${step} ${overlay.release}`);
  }
}

import { readFileSync } from "node:fs";
import path from "node:path";
import type { Digest, ErrorCode, Hash, ReloadOp, ReloadStep } from "@midflight/protocol";
import type { Carried } from "./hot.ts";
import type { Instance } from "./instance.ts";
import type { InstanceTable } from "./instance-table.ts";
import type { Overlay, OverlayUnit } from "./overlay.ts";
import { Placed } from "./placed.ts";
import { NotPreparable, type Prepared } from "./prepare.ts";
import { createScope } from "./scope.ts";
import { stepMaker } from "./text.ts";

interface Step {
  readonly run: (scope: object, identity: (value: unknown) => unknown, birth: string) => void;
  readonly hasEffect: boolean;
}

/** The top level of a unit, compiled for one instance. */
interface Program {
  readonly steps: readonly Step[];
  readonly scope: object;
  readonly birth: string;
}

/** One instance whose top level is to run again, and how what ran before is brought back. */
export interface Rerun {
  readonly instance: Instance;
  readonly key: string;
  readonly order: number;
  readonly next: Program;
  readonly former: Program;
}

export interface ReloadContext {
  readonly table: InstanceTable;
  readonly prepared: ReadonlyMap<Instance, Prepared>;
  /** What is live for a unit now. */
  readonly live: (unit: string) => OverlayUnit | undefined;
  readonly releaseDirectory: string | null;
  /** Artifacts of the boot release, as they were proved when the process started; null: nothing is known of them. */
  readonly bootArtifacts: ReadonlyMap<string, Digest> | null;
  readonly hash: Hash;
}

/** A transition that this process cannot follow. */
export class NotReloadable extends Error {
  readonly unit: string;
  readonly code: ErrorCode;

  constructor(unit: string, message: string, code: ErrorCode = "OVERLAY_FAILED") {
    super(message);
    this.unit = unit;
    this.code = code;
  }
}

/** True if the instance runs another top level than the operations lead to. */
function mustRun({ program }: Instance, { key, again }: ReloadOp): boolean {
  return program !== key && !(program === null && again);
}

/** What has to run again, in the order of evaluation, one compilation at a time. @throws NotReloadable, NotPreparable */
export function* prepareReruns(overlay: Overlay, context: ReloadContext): Generator<void, readonly Rerun[]> {
  const reruns: Rerun[] = [];
  const named = new Map(overlay.units.map((unit) => [unit.ops.unit, unit]));
  for (const instance of context.table.changed) {
    if (instance.program !== null && named.get(instance.unit)?.ops.reload === undefined) {
      throw new NotReloadable(instance.unit, "its top level ran again under an earlier release, and this one has no hooks that lead on from there", "REPLACE_NEEDED");
    }
  }
  for (const unit of overlay.units) {
    const { reload } = unit.ops;
    if (reload === undefined) continue;
    const instances = context.table.of(unit.ops.unit);
    if (instances.length === 0 && !reload.again) throw new NotReloadable(unit.ops.unit, "it is not loaded yet: once it is, its top level would run as it was");
    for (const instance of instances) {
      if (!mustRun(instance, reload)) continue;
      if (instance.hot?.isReady !== true) throw new NotReloadable(instance.unit, "its hooks were not declared when its top level ran");
      const { scope } = context.prepared.get(instance)!;
      const next = yield* compile(instance, unit, reload.steps, scope);
      const former = yield* compileFormer(instance, unit, reload, context);
      reruns.push({ instance, key: reload.key, order: reload.order, next, former });
    }
  }
  return reruns.sort((a, b) => a.order - b.order);
}

function* compileFormer(instance: Instance, unit: OverlayUnit, { former }: ReloadOp, context: ReloadContext): Generator<void, Program> {
  if (instance.program !== null) {
    const live = context.live(instance.unit);
    if (live?.ops.reload === undefined || instance.scope === null) throw new NotReloadable(instance.unit, "what its top level ran last is not known");
    return yield* compile(instance, live, live.ops.reload.steps, instance.scope);
  }
  const text = readBoot(instance.unit, former.artifact, context);
  return yield* compile(instance, { ...unit, text, ops: { ...unit.ops, artifact: former.artifact, birth: "" } }, former.steps, createScope());
}

/** The text that the process started with. It was proved then; it must be the same still. */
function readBoot(unit: string, artifact: Digest, { releaseDirectory, bootArtifacts, hash }: ReloadContext): string {
  if (releaseDirectory === null) throw new NotReloadable(unit, "there is no release directory to take its former text from");
  if (bootArtifacts !== null && bootArtifacts.get(unit) !== artifact) throw new NotPreparable("the transition names another text than the process started with");
  const bytes = readFileSync(path.join(releaseDirectory, unit));
  if (hash(bytes) !== artifact) throw new NotPreparable("the text that the process started with is no longer on the disk");
  return bytes.toString("utf8");
}

function* compile(instance: Instance, unit: OverlayUnit, steps: readonly ReloadStep[], scope: object): Generator<void, Program> {
  const placed = new Placed(unit, instance);
  const compiled: Step[] = [];
  for (const { kind, hasEffect, text } of steps) {
    const [before, after] = stepMaker(kind);
    compiled.push({ run: instance.door(placed.expression(before, text, after).once()) as Step["run"], hasEffect });
    yield;
  }
  return { steps: compiled, scope, birth: unit.ops.birth };
}

const identity = (value: unknown): unknown => value;

/** Runs a top level. @throws what the app's code throws; `begun` is told of each step with effects before it is taken */
function run({ hot }: Instance, { steps, scope, birth }: Program, carried: Carried, begun: () => void = () => undefined): void {
  hot!.begin(carried);
  for (const step of steps) {
    if (step.hasEffect) begun();
    step.run(scope, identity, birth);
  }
}

export interface Failure {
  readonly code: ErrorCode;
  readonly reason: string;
  readonly unit: string | null;
}

/**
 * One reload, in three steps of one commit: `leave` before anything is written, `enter` after, `settle` at the end.
 * Whatever throws, `takeBack` makes what was live before live again, by its own hooks.
 */
export class Reload {
  readonly #reruns: readonly Rerun[];
  readonly #left = new Map<Rerun, Carried>();
  readonly #entered: Rerun[] = [];
  readonly #onAccept: (readonly [unit: string, callback: () => void])[] = [];
  #isBroken = false;

  constructor(reruns: readonly Rerun[]) {
    this.#reruns = reruns;
  }

  /** Importers before what they import. */
  leave(): Failure | null {
    for (const rerun of this.#reruns.toReversed()) {
      const { instance } = rerun;
      try {
        const { onAccept } = instance.hot!;
        this.#left.set(rerun, instance.hot!.leave());
        if (onAccept !== null) this.#onAccept.unshift([instance.unit, onAccept]);
      } catch (error) {
        return { ...failed("dispose()", error), unit: instance.unit };
      }
    }
    return null;
  }

  /** What is imported before its importers. */
  enter(): Failure | null {
    for (const rerun of this.#reruns) {
      this.#entered.push(rerun);
      let hasBegun = false;
      try {
        run(rerun.instance, rerun.next, copyOf(this.#left.get(rerun)!), () => {
          hasBegun = true;
        });
      } catch (error) {
        // What it set up before it declared how to undo that cannot be undone.
        if (hasBegun && !rerun.instance.hot!.hasDispose) this.#isBroken = true;
        return { ...failed("its top level", error), unit: rerun.instance.unit };
      }
    }
    for (const [unit, callback] of this.#onAccept) {
      try {
        callback();
      } catch (error) {
        return { ...failed("accept()", error), unit };
      }
    }
    return null;
  }

  settle(): void {
    for (const { instance, key } of this.#reruns) instance.program = key;
  }

  /** Lets the new texts undo what they set up, while their bodies are still live. */
  dropEntered(): void {
    for (const { instance } of this.#entered.toReversed()) {
      try {
        instance.hot!.leave();
      } catch {
        this.#isBroken = true;
      }
    }
  }

  /** Runs the former top levels again, with what they left. The failure's final form: whole again, or in need of a new process. */
  takeBack(failure: Failure): Failure {
    for (const rerun of this.#reruns) {
      const carried = this.#left.get(rerun);
      if (carried === undefined) continue;
      try {
        run(rerun.instance, rerun.former, carried);
      } catch {
        this.#isBroken = true;
      }
    }
    if (!this.#isBroken) return { ...failure, reason: `${failure.reason}; what ran before runs again` };
    return { ...failure, code: "REPLACE_NEEDED", reason: `${failure.reason}; and what ran before could not be brought back by its hooks` };
  }
}

function copyOf({ data, migration }: Carried): Carried {
  return { data: { ...data }, migration };
}

function failed(what: string, error: unknown): { readonly code: ErrorCode; readonly reason: string } {
  const said = error instanceof Error ? `${error.name}: ${error.message}` : "something that is not an error";
  return { code: "RELOAD_FAILED", reason: `${what} threw ${said.slice(0, 300)}` };
}

import { isBuiltin } from "node:module";
import type { ImportOp } from "@midflight/protocol";
import * as ownPackage from "../index.ts";
import type { AddedUnits } from "./added-units.ts";
import type { Instance } from "./instance.ts";
import type { InstanceTable } from "./instance-table.ts";
import { bringingOf, findExchanged, type Bringing } from "./exchange.ts";
import { findIncomplete, lostRefusal, refuse, type Refused } from "./hindrance.ts";
import type { Overlay } from "./overlay.ts";
import type { Pace } from "../pace.ts";
import { NotPreparable, prepare, type Prepared } from "./prepare.ts";
import type { SourceMaps } from "./source-maps.ts";
import { findLost } from "./reflection.ts";
import { NotReloadable, prepareReruns, type ReloadContext, type Rerun } from "./reload.ts";
import type { Modules } from "./scope.ts";

/** A whole overlay, compiled, for every instance that was there. */
export interface Staged {
  readonly overlay: Overlay;
  readonly prepared: ReadonlyMap<Instance, Prepared>;
  readonly modules: Modules;
  /** Instances whose top level runs again, in the order of evaluation. */
  readonly reruns: readonly Rerun[];
  readonly bringing: Bringing;
}

export type StageResult = { readonly kind: "staged"; readonly staged: Staged } | Refused;

export interface StageContext {
  readonly table: InstanceTable;
  readonly added: AddedUnits;
  readonly pace: Pace;
  readonly isOld: () => boolean;
  readonly maps: SourceMaps;
  readonly boot: Pick<ReloadContext, "live" | "releaseDirectory" | "bootArtifacts" | "hash">;
}

/** Compiles an overlay off to the side. Runs code of the app only where the planner proved it free of effects. */
export async function stage(overlay: Overlay, { table, added, pace, isOld, maps, boot }: StageContext): Promise<StageResult> {
  const incomplete = findIncomplete(overlay, table);
  if (incomplete !== null) return incomplete;
  await maps.write(overlay.units);
  await pace.yield();
  const bringing = bringingOf(overlay, (unit) => added.namespace(unit) !== undefined);
  const exchanged = findExchanged(overlay, bringing, table);
  if (exchanged !== null) return refuse("OVERLAY_FAILED", exchanged.reason, exchanged.unit);
  const loadedAdded = await added.load(overlay.added);
  pace.resume();
  if (loadedAdded !== null) return refuse("OVERLAY_FAILED", loadedAdded.reason, loadedAdded.unit);
  const namespaces = new Map<string, Readonly<Record<string, unknown>>>();
  const modules: Modules = (instance, op) => (op.from === "added" ? added.namespace(op.unit) : namespaces.get(`${instance.url}\0${op.specifier}`));
  const prepared = new Map<Instance, Prepared>();
  // What lives on asks for these and no more: the rest of the overlay is let go with its generation.
  const scopes = new Map<Instance, object>();
  const scopeOf = (instance: Instance): object | null => scopes.get(instance) ?? instance.scope;
  for (const unit of overlay.units) {
    for (const instance of table.of(unit.ops.unit)) {
      try {
        for (const op of unit.ops.imports) {
          const reason = await loadImport(op, instance, table, namespaces);
          pace.resume();
          if (reason !== null) return refuse("OVERLAY_FAILED", reason, unit.ops.unit);
        }
        const made = prepare(instance, unit, table, scopeOf, modules, isOld, maps);
        prepared.set(instance, made);
        scopes.set(instance, made.scope);
      } catch (error) {
        return refusal(error, unit.ops.unit);
      }
      await pace.breathe();
    }
  }
  for (const [instance, { steps, reflecting }] of prepared) {
    for (const step of steps) {
      try {
        step.force();
      } catch (error) {
        return refusal(error, instance.unit);
      }
      await pace.breathe();
    }
    const lost = findLost(instance, reflecting);
    if (lost !== null) return lostRefusal(lost, instance.unit);
  }
  const reruns = prepareReruns(overlay, { ...boot, table, prepared });
  for (;;) {
    try {
      const next = reruns.next();
      if (next.done === true) {
        await pace.yield();
        return { kind: "staged", staged: { overlay, prepared, modules, reruns: next.value, bringing } };
      }
    } catch (error) {
      if (error instanceof NotReloadable) return refuse(error.code, error.message, error.unit);
      return refusal(error, overlay.units.find((unit) => unit.ops.reload !== undefined)?.ops.unit ?? "");
    }
    await pace.breathe();
  }
}

async function loadImport(op: ImportOp, instance: Instance, table: InstanceTable, namespaces: Map<string, Readonly<Record<string, unknown>>>): Promise<string | null> {
  if (op.from === "overlay" || op.from === "unit") return table.of(op.unit).length > 0 ? null : `it imports ${op.unit}, which this process has not loaded`;
  if (op.from === "added") return null;
  if (op.specifier === "@midflight/agent") {
    namespaces.set(`${instance.url}\0${op.specifier}`, ownPackage);
    return null;
  }
  if (op.witness === null && !isBuiltin(op.specifier)) return `it imports ${op.specifier}, which is not one of Node's own`;
  if (op.witness !== null && !table.loaded.has(op.witness)) return `it imports ${op.specifier}, which this process has not loaded`;
  const namespace = (await instance.door(`import(${JSON.stringify(op.specifier)})`)) as Readonly<Record<string, unknown>>;
  if (op.imported !== "*" && !(op.imported in namespace)) return `${op.specifier} has no export ${op.imported}`;
  namespaces.set(`${instance.url}\0${op.specifier}`, namespace);
  return null;
}

function refusal(error: unknown, unit: string): Refused {
  if (error instanceof NotPreparable) return refuse("OVERLAY_FAILED", error.message, unit);
  const message = error instanceof Error ? `${error.name}: ${error.message}` : "something that is not an error was thrown";
  if (error instanceof EvalError) return refuse("EVAL_DISALLOWED", "the process was started so that text cannot become code", unit);
  return refuse("OVERLAY_FAILED", `preparing the new code threw ${message.slice(0, 300)}`, unit);
}

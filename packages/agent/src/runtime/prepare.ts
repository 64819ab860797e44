import { statePrefix, type Cell, type Instance, type Pick, type Stub } from "./instance.ts";
import type { InstanceTable } from "./instance-table.ts";
import { bodyPart, cellOf, functionPart, memberPart } from "./compile.ts";
import { broughtBy, importedBy } from "./exchange.ts";
import { foreignMember } from "./members.ts";
import type { OverlayUnit } from "./overlay.ts";
import { Makers } from "./makers.ts";
import type { FunctionPart, Step } from "./part.ts";
import { Placed } from "./placed.ts";
import { createFunctionStub } from "./stubs.ts";
import { reflectingOf, type Reflecting } from "./reflection.ts";
import { bodyReader, functionReader, memberReader } from "./readers.ts";
import type { Reader } from "./read-texts.ts";
import type { MemberOp, UnitOps } from "@midflight/protocol";
import type { SourceMaps } from "./source-maps.ts";
import { createScope, defineCell, defineImport, defineValue, type Modules } from "./scope.ts";

/** All that one instance gets from an overlay, ready to be written. Nothing of it is visible yet. */
export interface Prepared {
  readonly instance: Instance;
  readonly unit: OverlayUnit;
  readonly scope: object;
  readonly slots: ReadonlyMap<string, Pick>;
  /** Cells that the instance does not have yet, by key. */
  readonly cells: ReadonlyMap<string, Cell>;
  readonly functions: readonly { readonly key: string; readonly stub: Stub; readonly part: FunctionPart }[];
  readonly members: readonly { readonly op: MemberOp; readonly part: FunctionPart }[];
  /** Functions of the boot text that are to show what their newer bodies say of themselves. */
  readonly reflecting: readonly Reflecting[];
  readonly makers: Makers;
  readonly readers: readonly Reader[];
  /** What is still to be compiled, one step each. */
  readonly steps: readonly Step[];
  readonly hasClosures: boolean;
  /** What it adds that somebody may hold, and what its imports stand for: `broughtBy`, `importedBy`. */
  readonly brought: ReadonlySet<string>;
  readonly imported: ReadonlyMap<string, string>;
}

/** Why an instance cannot take an overlay. */
export class NotPreparable extends Error {}

/** Builds, without running any of the app's code, what an instance gets from its unit's part of an overlay. */
export function prepare(instance: Instance, unit: OverlayUnit, table: InstanceTable, scopeOf: (instance: Instance) => object | null, modules: Modules, isOld: () => boolean, maps: SourceMaps): Prepared {
  const { ops } = unit;
  if (instance.tag !== unit.birth.slice(7, 23)) throw new NotPreparable("it was loaded from a text that the transition does not start from");
  const scope = createScope();
  const makers = new Makers(instance.makers);
  const site = { instance, unit, placed: new Placed(unit, instance), scope, makers };
  const steps: Step[] = [];
  const readers: Reader[] = [];
  const cells = new Map<string, Cell>();
  const functions: { key: string; stub: Stub; part: FunctionPart }[] = [];
  const reflecting: Reflecting[] = [];
  for (const op of ops.imports) defineImport(scope, op, instance, table, scopeOf, modules);
  checkSuccession(instance, ops);
  checkRemovals(instance, ops);
  for (const op of ops.cells) {
    if (op.kind === "function") {
      const stub = instance.stubs.get(op.key) ?? createFunctionStub(op.name, isOld);
      const part = functionPart(site, op);
      defineValue(scope, op.name, stub.stub);
      functions.push({ key: op.key, stub, part });
      readers.push(functionReader(site, op, part));
      steps.push(part);
      continue;
    }
    const known = instance.cells.get(op.key);
    if (known !== undefined) {
      defineCell(scope, known);
      continue;
    }
    const cell = cellOf(site, op);
    defineCell(scope, cell);
    cells.set(op.key, cell);
    const held = instance.faded(op.key);
    if (held !== undefined) cell.set(held);
    else steps.push(cell);
  }
  const slots = new Map<string, Pick>();
  for (const op of ops.bodies) {
    if (op.again && !instance.hadClosures && ops.birth === "") continue;
    const part = bodyPart(site, op);
    slots.set(op.slot, part.value);
    steps.push(part);
    if (op.reflect !== null && part.like !== undefined) {
      const one = reflectingOf(site, op, () => part.like!());
      reflecting.push(one);
      steps.push(one);
    }
    const reader = bodyReader(site, op, part);
    if (reader !== null) readers.push(reader);
  }
  const members = ops.members.map((op) => {
    const part = memberPart(site, op);
    steps.push(part);
    readers.push(memberReader(site, op, part));
    return { op, part };
  });
  const hasClosures = ops.birth !== "" && ops.bodies.some((op) => op.door.kind === "activation");
  steps.unshift({ force: () => maps.tell(instance, unit) }, { force: () => instance.prepare(slots.keys()) });
  return { instance, unit, scope, slots, cells, functions, members, reflecting, makers, readers, steps, hasClosures, brought: broughtBy(ops), imported: importedBy(ops) };
}

/** Throws if a member that goes is not the one that its class came with. Staging asks, and the commit again: the app runs in between. */
export function checkRemovals(instance: Instance, { removals }: UnitOps): void {
  const foreign = removals.find((op) => foreignMember(instance, op));
  if (foreign !== undefined) throw new NotPreparable(`${foreign.className}.${foreign.name}() is to be removed, but what is there is not what its class came with`);
}

/** Throws if an earlier overlay left something alive that this one would have to change and cannot reach. */
function checkSuccession(instance: Instance, { cells, bodies }: UnitOps): void {
  for (const { kind, name, key } of cells) {
    const known = kind === "function" ? instance.stubs : instance.cells;
    if (known.has(key)) continue;
    for (const other of [...instance.cells.keys(), ...instance.stubs.keys()]) {
      if (nameOfKey(other) !== name || !(other.startsWith(statePrefix) || key.startsWith(statePrefix))) continue;
      throw new NotPreparable(`${name} was added by an earlier release and changed since; what it holds, and who holds it, would be of two releases`);
    }
  }
  for (const { slot, door, shape, name } of bodies) {
    const sealed = door.kind === "activation" ? undefined : instance.sealed.get(slot);
    if (sealed !== undefined && shape !== "" && sealed !== shape) throw new NotPreparable(`${name}() made closures under an earlier release that cannot follow it`);
  }
}

/** `state:const:name:hash`, `function:name`; a member's key has blanks instead. */
function nameOfKey(key: string): string | undefined {
  return (key.startsWith(statePrefix) ? key.slice(statePrefix.length) : key).split(":")[1];
}

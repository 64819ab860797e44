import { hash } from "node:crypto";
import type { Digest, ErrorCode } from "@midflight/protocol";
import { noNames, noOrigins } from "./exchange.ts";
import type { Instance, Pick } from "./instance.ts";
import type { InstanceTable } from "./instance-table.ts";
import { addMember, retireMembers, writeRemovals, type Choice } from "./members.ts";
import type { Prepared } from "./prepare.ts";
import { imitate, ownShape, writeReflection } from "./reflection.ts";
import type { Staged } from "./stage.ts";

export type CommitResult =
  | { readonly kind: "committed"; readonly generation: number; readonly units: number; readonly bodies: number; readonly live: Digest }
  | { readonly kind: "undone"; readonly code: ErrorCode; readonly reason: string; readonly unit: string | null };

/** What was written, and how each write is taken back. */
export interface Written {
  readonly units: number;
  readonly bodies: number;
  undo(): void;
}

/** Writes everything staged into every instance. Only stores prepared values; a throw takes back all of it. */
export function write(staged: Staged, table: InstanceTable, late: (instance: Instance) => Prepared | null, choice: Choice): Written {
  const undo: (() => void)[] = [];
  const units = new Set<string>();
  let bodies = 0;
  const takeBack = (): void => {
    while (undo.length > 0) undo.pop()!();
  };
  try {
    for (const instance of table.concernedBy(unitsOf(staged))) {
      const prepared = staged.prepared.get(instance) ?? late(instance);
      if (prepared !== null) {
        units.add(instance.unit);
        bodies += prepared.slots.size;
      }
      table.markChanged(instance);
      writeInstance(instance, prepared, undo, choice);
    }
  } catch (error) {
    takeBack();
    throw error;
  }
  return { units: units.size, bodies, undo: takeBack };
}

function unitsOf({ overlay }: Staged): readonly string[] {
  return overlay.units.map(({ ops }) => ops.unit);
}

const nothing: ReadonlyMap<string, Pick> = new Map();

/** One instance takes its part of an overlay, or, with null, returns to its boot shape. */
export function writeInstance(instance: Instance, prepared: Prepared | null, undo: (() => void)[], choice: Choice): void {
  const { hasOld, isOld } = choice;
  const slots = prepared?.slots ?? nothing;
  if (prepared === null && !instance.isChanged) return;
  const before = { live: instance.live, written: instance.written, scope: instance.scope, hadClosures: instance.hadClosures, members: instance.members, removals: instance.removals, makers: instance.makers, brought: instance.brought, imported: instance.imported, readers: instance.readers };
  undo.push(() => Object.assign(instance, before));
  const written = hasOld ? chooseBetween(before.live, slots, isOld) : slots;
  undo.push(() => exchange(instance, written, before.written));
  exchange(instance, before.written, written);
  instance.written = written;
  instance.live = slots;
  instance.scope = prepared?.scope ?? null;
  instance.members = prepared?.members ?? [];
  instance.brought = prepared?.brought ?? noNames;
  instance.imported = prepared?.imported ?? noOrigins;
  instance.removals = prepared?.unit.ops.removals ?? [];
  instance.makers = prepared?.makers.settle() ?? null;
  instance.readers = prepared?.readers ?? [];
  if (prepared?.hasClosures === true) instance.hadClosures = true;
  undo.push(retireMembers(instance, prepared?.unit.ops.members ?? [], choice));
  writeRemovals(instance, instance.removals, choice, undo);
  writeReflection(instance, prepared?.reflecting ?? [], undo);
  if (prepared === null) return;
  for (const { slot, door, shape } of prepared.unit.ops.bodies) {
    // "?" was a question, asked while staging.
    if (door.kind === "activation" || shape === "" || shape === "?") continue;
    const sealed = instance.sealed.get(slot);
    instance.sealed.set(slot, shape);
    undo.push(() => void (sealed === undefined ? instance.sealed.delete(slot) : instance.sealed.set(slot, sealed)));
  }
  for (const [key, cell] of prepared.cells) {
    instance.cells.set(key, cell);
    undo.push(() => void instance.cells.delete(key));
  }
  for (const { key, stub, part } of prepared.functions) {
    const { current, former } = stub;
    const isNew = !instance.stubs.has(key);
    stub.former = hasOld ? current : null;
    stub.current = part.value;
    const shape = ownShape(stub.stub);
    imitate(stub.stub, part.like());
    instance.stubs.set(key, stub);
    undo.push(() => {
      stub.current = current;
      stub.former = former;
      shape();
      if (isNew) instance.stubs.delete(key);
    });
  }
  for (const { op, part } of prepared.members) if (instance.classes.has(op.className)) undo.push(addMember(instance, op, part, choice));
}

/** Guards that found the one find the other. */
function exchange(instance: Instance, from: ReadonlyMap<string, Pick>, to: ReadonlyMap<string, Pick>): void {
  for (const slot of from.keys()) if (!to.has(slot)) instance.write(slot, undefined);
  for (const [slot, value] of to) instance.write(slot, value);
}

/** Requests of the old generation get its bodies, all others the new ones. */
function chooseBetween(former: ReadonlyMap<string, Pick>, next: ReadonlyMap<string, Pick>, isOld: () => boolean): ReadonlyMap<string, Pick> {
  const out = new Map<string, Pick>();
  for (const slot of new Set([...former.keys(), ...next.keys()])) {
    const before = former.get(slot);
    const after = next.get(slot);
    out.set(slot, (door, shape, birth) => (isOld() ? before : after)?.(door, shape, birth));
  }
  return out;
}

/** The old generation has ended: its bodies are let go. */
export function collapse(table: InstanceTable): void {
  for (const instance of table.changed) {
    if (instance.written !== instance.live) {
      for (const slot of instance.written.keys()) instance.write(slot, instance.live.get(slot));
      instance.written = instance.live;
    }
    for (const stub of instance.stubs.values()) stub.former = null;
    for (const end of instance.ending) end();
    instance.ending.clear();
  }
  table.settle();
}

/**
 * Reads back what guards find, in every instance that the swap concerns, and compares it with what was to be written.
 * The digest names the texts that are live and not the boot release's: for each such instance `unit`, the text it was
 * loaded from, and its artifact and operations, sorted. The unit's name if anything differs.
 */
export function readBack(table: InstanceTable, shown: ReadonlyMap<string, string>): { readonly live: Digest } | { readonly differs: string } {
  const lines = new Set<string>();
  for (const instance of table.concernedBy(shown.keys())) {
    for (const [slot, value] of instance.written) if (instance.read(slot) !== value) return { differs: instance.unit };
    const text = shown.get(instance.unit);
    if (text !== undefined) lines.add(`${instance.unit} ${instance.tag} ${text}`);
  }
  return { live: `sha256:${hash("sha256", [...lines].sort().join("\n"))}` };
}

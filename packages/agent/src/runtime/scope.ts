import type { ImportOp } from "@midflight/protocol";
import type { Cell, Instance } from "./instance.ts";
import type { InstanceTable } from "./instance-table.ts";

/** A module's namespace by where it comes from. Undefined: not loaded. */
export type Modules = (instance: Instance, op: Extract<ImportOp, { from: "module" | "added" }>) => Readonly<Record<string, unknown>> | undefined;

/** The object that overlay texts read as `$mfo`: one per instance and overlay. Everything in it is looked up when it is read. */
export function createScope(): object {
  return Object.create(null) as object;
}

export function defineCell(scope: object, cell: Cell): void {
  const set = (value: unknown): void => cell.set(value);
  Object.defineProperty(scope, cell.name, { get: () => cell.get(), set, enumerable: true });
}

export function defineValue(scope: object, name: string, value: unknown): void {
  Object.defineProperty(scope, name, { value, enumerable: true });
}

/**
 * Makes an import readable. Another unit's overlay is asked at each read, so that all units of one commit see
 * each other's, whatever the order they were staged in.
 */
export function defineImport(scope: object, op: ImportOp, instance: Instance, table: InstanceTable, scopeOf: (instance: Instance) => object | null, modules: Modules): void {
  const define = (get: () => unknown): void => {
    Object.defineProperty(scope, op.name, { get, enumerable: true });
  };
  switch (op.from) {
    case "overlay":
      return define(() => Reflect.get(needed(scopeOf(first(table, op.unit)), op.unit), op.local) as unknown);
    case "unit": {
      let read: (() => unknown) | null = null;
      return define(() => (read ??= first(table, op.unit).door(`()=>${op.local}`) as () => unknown)());
    }
    case "module":
    case "added":
      return define(() => {
        const namespace = needed(modules(instance, op), op.from === "module" ? op.specifier : op.unit);
        return op.imported === "*" ? namespace : namespace[op.imported];
      });
  }
}

function first(table: InstanceTable, unit: string): Instance {
  return needed(table.of(unit)[0], unit);
}

function needed<T>(value: T | null | undefined, what: string): T {
  if (value === null || value === undefined) throw new ReferenceError(`${what} is not loaded`);
  return value;
}

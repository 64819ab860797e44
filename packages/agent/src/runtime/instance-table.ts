import type { Instance } from "./instance.ts";

/** All loaded units of one thread. */
export class InstanceTable {
  readonly #byUnit = new Map<string, Instance[]>();
  readonly #changed = new Set<Instance>();
  readonly loaded: Set<string> = new Set();

  add(instance: Instance): void {
    const list = this.#byUnit.get(instance.unit);
    if (list === undefined) this.#byUnit.set(instance.unit, [instance]);
    else list.push(instance);
    this.loaded.add(instance.unit);
  }

  of(unit: string): readonly Instance[] {
    return this.#byUnit.get(unit) ?? [];
  }

  /** Those that an overlay has written to: few, whatever the size of the release. */
  get changed(): ReadonlySet<Instance> {
    return this.#changed;
  }

  /** Of these units, and every one that an overlay has written to: whom a swap to an overlay of these units can concern. */
  *concernedBy(units: Iterable<string>): Generator<Instance> {
    const told = new Set<Instance>();
    for (const unit of units) {
      for (const instance of this.of(unit)) {
        told.add(instance);
        yield instance;
      }
    }
    for (const instance of this.#changed) if (!told.has(instance)) yield instance;
  }

  /** Call before an overlay writes to an instance. */
  markChanged(instance: Instance): void {
    this.#changed.add(instance);
  }

  /** Forgets those that are as their own text made them again. */
  settle(): void {
    for (const instance of this.#changed) if (!instance.isChanged) this.#changed.delete(instance);
  }
}

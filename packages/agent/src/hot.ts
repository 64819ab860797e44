/** What `dispose` leaves for the text that comes after. It lives on over reloads. */
export type HotData = Record<string, unknown>;

/**
 * What `import.meta.hot` (in CommonJS: `module.hot`) is in a unit that declares hooks (docs/guides/reload.md). It is
 * undefined in every other unit, and without an agent. What has the same meaning as in Vite has the same name.
 */
export interface Hot {
  /** What the last `dispose` left; empty at the start of the process. */
  readonly data: HotData;
  /**
   * The module's top level may run again. `callback`: called at the end of the swap, when all new code is live; it
   * is the one that the text before registered. If it throws, all stays as it was.
   */
  accept(callback?: () => void): void;
  /**
   * Undoes what the top level set up, and puts into `data` what is to live on. Called in one step with the swap, so
   * it is not waited for. It either does all of it or throws before it has done anything.
   */
  dispose(callback: (data: HotData) => void): void;
  /** Called while the new text runs or in `accept`: takes the swap back. */
  invalidate(message?: string): void;
}

/** How `data` changes from one shape to the next. */
export interface Migration<Old = HotData, New = HotData> {
  /** Of the shape that this text works with: a whole number from 1. Texts without a migration have version 0. */
  readonly version: number;
  /** From any older shape, whose version it is told, to this one. Returns new data and leaves the old as they are. */
  readonly up: (old: Old, from: number) => New;
  /** The way back: to any older shape, whose version it is told. Returns new data and leaves these as they are. */
  readonly down: (data: New, to: number) => Old;
}

/** A Hot that keeps count of shapes. */
interface MigratingHot extends Hot {
  migrate?(migration: Migration<never>): HotData;
}

/**
 * Brings the data that an older or a newer text left to the shape of this one, and returns them; empty data without an
 * agent or at the start of the process. It has to stand before anything else reads `hot.data`.
 *
 * @param hot `import.meta.hot`, in CommonJS `module.hot`
 */
export function migrate<Old extends object = HotData, New extends object = HotData>(hot: Hot | undefined, migration: Migration<Old, New>): Partial<New> {
  const migrating: MigratingHot | undefined = hot;
  if (migrating === undefined) return {};
  // Another tool's `hot` counts no shapes: what it keeps is of this text's own.
  return (migrating.migrate === undefined ? migrating.data : migrating.migrate(migration as unknown as Migration<never>)) as Partial<New>;
}

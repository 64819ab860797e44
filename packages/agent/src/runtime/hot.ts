import type { Hot, HotData, Migration } from "../hot.ts";

type AnyMigration = Migration<never>;

/** What a text registered while its top level ran. */
interface Registered {
  isAccepted: boolean;
  onAccept: (() => void) | null;
  dispose: ((data: HotData) => void) | null;
  migration: AnyMigration | null;
}

const nothing = (): Registered => ({ isAccepted: false, onAccept: null, dispose: null, migration: null });

/** Data as one text left them, and how they become those of an older one. */
export interface Carried {
  readonly data: HotData;
  readonly migration: AnyMigration | null;
}

/** The hooks of one instance: what the text that is live registered, and the data that pass from one to the next. */
export class HotState {
  /** The same object for as long as the instance lives. */
  readonly hot: Hot;
  #registered = nothing();
  #carried: Carried = { data: {}, migration: null };
  /** The data in the shape of the text that is live; null until it has asked for them. */
  #data: HotData | null = null;

  constructor() {
    const unused = (): void => undefined;
    this.hot = Object.freeze({
      accept: (callback?: unknown) => {
        this.#registered.isAccepted = true;
        if (typeof callback === "function") this.#registered.onAccept = callback as () => void;
      },
      dispose: (callback: (data: HotData) => void) => {
        this.#registered.dispose = callback;
      },
      invalidate: (message?: string) => {
        throw new Error(message ?? "the module cannot take the change");
      },
      migrate: (migration: AnyMigration) => this.#migrate(migration),
      // What other tools have, and what has no meaning here.
      decline: unused, prune: unused, on: unused, off: unused, send: unused,
      get data() {
        return read();
      },
    });
    const read = (): HotData => this.#read();
  }

  get isReady(): boolean {
    return this.#registered.isAccepted && this.#registered.dispose !== null;
  }

  get hasDispose(): boolean {
    return this.#registered.dispose !== null;
  }

  get onAccept(): (() => void) | null {
    return this.#registered.onAccept;
  }

  /** Lets the text that is live undo what it set up. Whatever it throws is the caller's. */
  leave(): Carried {
    const { dispose, migration } = this.#registered;
    const data = { ...(this.#data ?? this.#carried.data) };
    dispose?.(data);
    return { data, migration };
  }

  /** Another text begins, with what the one before left. */
  begin(carried: Carried): void {
    this.#registered = nothing();
    this.#carried = carried;
    this.#data = null;
  }

  #read(): HotData {
    const { data, migration } = this.#carried;
    this.#data ??= migration === null ? data : migration.down(data, 0);
    return this.#data;
  }

  #migrate(migration: AnyMigration): HotData {
    const { version, up, down } = migration;
    if (!Number.isSafeInteger(version) || version < 1 || typeof up !== "function" || typeof down !== "function") throw new TypeError("a migration has a version from 1, up and down");
    if (this.#data !== null) throw new Error("migrate() has to stand before hot.data is read");
    this.#registered.migration = migration;
    const { data, migration: before } = this.#carried;
    const from = before?.version ?? 0;
    const isFirst = before === null && Object.keys(data).length === 0;
    this.#data = from === version || isFirst ? data : from < version ? up(data as never, from) : before!.down(data, version);
    return this.#data;
  }
}

/** How everything that was opened is closed: the last first, each once, whatever happened in between. */
export interface Ending {
  add(close: () => unknown): void;
  /** Work that opens things: it has to be over before closing begins. Gives it back. */
  after<T>(opening: Promise<T>): Promise<T>;
  /** Work that stands on what is open: it gives up by itself when that closes. */
  whenDone(work: Promise<unknown>): void;
  /** Resolves when that work is over. */
  readonly done: Promise<unknown>;
  run(): Promise<void>;
}

export function createEnding(): Ending {
  const closers: (() => unknown)[] = [];
  let opened: Promise<unknown> = Promise.resolve();
  let done: Promise<unknown> = Promise.resolve();
  return {
    add: (close) => {
      closers.push(close);
    },
    after: (opening) => {
      opened = Promise.allSettled([opening]);
      return opening;
    },
    whenDone: (work) => {
      done = Promise.allSettled([work]);
    },
    get done() {
      return done;
    },
    run: async () => {
      await opened;
      for (const close of closers.splice(0).toReversed()) await close();
    },
  };
}

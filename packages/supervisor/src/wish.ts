
/** What is wanted of a process from outside, while its keeper is busy with it. */
export interface Wish {
  readonly current: "stay" | "replace" | "stop";
  /** Aborted as soon as something else than to stay is wanted. */
  readonly aborted: AbortSignal;
  /** Aborted as soon as it is to end for good. */
  readonly stopped: AbortSignal;
  /** Resolves as soon as something else than to stay is wanted. */
  readonly changed: Promise<void>;
  /** A new start answers a wish to replace. */
  begin(): void;
  set(wish: "replace" | "stop"): void;
  /** Waits; ends early when woken or when something is wanted. */
  wait(ms: number): Promise<void>;
  wake(): void;
}

export function openWish(): Wish {
  let current: Wish["current"] = "stay";
  let controller = new AbortController();
  let changed = Promise.withResolvers<void>();
  const stopping = new AbortController();
  let woken: (() => void) | null = null;
  return {
    get current() {
      return current;
    },
    get aborted() {
      return controller.signal;
    },
    get stopped() {
      return stopping.signal;
    },
    get changed() {
      return changed.promise;
    },
    begin: () => {
      if (current !== "replace") return;
      current = "stay";
      controller = new AbortController();
      changed = Promise.withResolvers();
    },
    set: (wish) => {
      if (current === "stop") return;
      current = wish;
      controller.abort();
      if (wish === "stop") stopping.abort();
      changed.resolve(undefined);
      woken?.();
    },
    wait: async (ms) => {
      if (current !== "stay") return;
      await new Promise<void>((resolve) => {
        const timer = setTimeout(resolve, ms);
        woken = () => {
          clearTimeout(timer);
          resolve();
        };
      });
      woken = null;
    },
    wake: () => woken?.(),
  };
}

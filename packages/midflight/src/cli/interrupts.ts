/** How a command is told to stop. Only one place listens at a time; without one, the command just ends. */
export interface Interrupts {
  /** From now on `react` is called for each Ctrl-C or termination signal. Gives back a function that ends that. */
  handle(react: (signal: NodeJS.Signals) => void): () => void;
}

/** What a process can be told from outside. */
export interface SignalSource {
  on(signal: NodeJS.Signals, react: (signal: NodeJS.Signals) => void): unknown;
}

const signals: readonly NodeJS.Signals[] = ["SIGINT", "SIGTERM", "SIGHUP"];

/** @param leave what happens when nobody handles it: the command ends at once. */
export function openInterrupts(source: SignalSource, leave: (signal: NodeJS.Signals) => void): Interrupts {
  const handlers: ((signal: NodeJS.Signals) => void)[] = [];
  const react = (signal: NodeJS.Signals): void => (handlers.at(-1) ?? leave)(signal);
  for (const signal of signals) source.on(signal, react);
  return {
    handle: (handler) => {
      handlers.push(handler);
      return () => {
        const at = handlers.lastIndexOf(handler);
        if (at !== -1) handlers.splice(at, 1);
      };
    },
  };
}

import { parseSupervisorWord, type AgentWord, type SupervisorWord } from "@midflight/protocol";

/** The IPC channel to the supervisor. The app does not see it: `process.send` is ours alone. */
export interface Line {
  readonly isOpen: boolean;
  /** True: the process runs as long as its supervisor is there; one that has nothing open any more would end, and not say that it is done. */
  readonly hold: (isHeld: boolean) => void;
  /** @param carried a listening handle or a connection that goes along. Resolves when it is sent, false if it could not be. */
  readonly say: (word: AgentWord, carried?: unknown) => Promise<boolean>;
}

export interface LineListener {
  readonly onWord: (word: SupervisorWord, carried: unknown) => void;
  readonly onTrouble: (where: string, problem: unknown) => void;
}

/** Takes the channel over; null if the process has none. It never keeps the process alive. */
export function openLine({ onWord, onTrouble }: LineListener): Line | null {
  const send = process.send?.bind(process);
  if (send === undefined) return null;
  Object.defineProperty(process, "send", { value: undefined, configurable: true, writable: true });
  process.on("message", (message, carried) => {
    try {
      const { midflight } = message as { readonly midflight?: unknown };
      if (midflight !== undefined) onWord(parseSupervisorWord(midflight), carried);
    } catch (problem) {
      onTrouble("supervisor", problem);
    }
  });
  // A listener for messages would keep the process running for ever.
  process.channel?.unref();
  return {
    get isOpen() {
      return process.connected;
    },
    hold: (isHeld) => (isHeld ? process.channel?.ref() : process.channel?.unref()),
    say: (word, carried) =>
      new Promise((resolve) => {
        if (!process.connected) {
          resolve(false);
          return;
        }
        try {
          send({ midflight: word }, carried as never, {}, (problem) => resolve(problem === null));
        } catch (problem) {
          // Node throws for a handle that it cannot send; nobody waits for most words, and a rejection would end the app.
          onTrouble("supervisor", problem);
          resolve(false);
        }
      }),
  };
}

import type { ChildProcess, SendHandle } from "node:child_process";
import type { ElderWord, SuccessorWord } from "./words.ts";

/** The channel between a holder and its successor. */
export interface Link<Out, In> {
  /** Resolves when it is on its way; false if the other one is gone. */
  say(word: Out, carried?: unknown): Promise<boolean>;
  listen(onWord: (word: In, carried: unknown) => void): void;
  /** Settles when the other one is gone. */
  readonly lost: Promise<void>;
}

export type ToSuccessor = Link<ElderWord, SuccessorWord>;
export type ToElder = Link<SuccessorWord, ElderWord>;

/** @param end a child with a channel, or this process, if it was started with one */
export function openLink<Out, In>(end: ChildProcess | NodeJS.Process): Link<Out, In> {
  const port = end as ChildProcess;
  return {
    say: (word, carried) =>
      new Promise((resolve) => {
        if (!port.connected) {
          resolve(false);
          return;
        }
        port.send({ holder: word }, carried as SendHandle | undefined, {}, (error) => resolve(error === null));
      }),
    listen: (onWord) => {
      port.on("message", (message, carried) => {
        const word = (message as { readonly holder?: In }).holder;
        if (word !== undefined) onWord(word, carried);
      });
    },
    // A child that ends before it took what it was sent is not seen to disconnect.
    lost: new Promise((resolve) => port.once("disconnect", () => resolve()).once("exit", () => resolve())),
  };
}

import { spawn, type ChildProcess } from "node:child_process";
import { openLink, type ToSuccessor } from "./link.ts";
import type { ElderWord, HeldFacts, HolderStart, SuccessorWord } from "./words.ts";

/** A socket with whose it is. */
export interface PassedSocket {
  readonly owner: string;
  readonly name: string;
  readonly isShared: boolean;
  readonly socket: unknown;
}

export interface Heritage {
  readonly sockets: readonly PassedSocket[];
  readonly children: readonly HeldFacts[];
}

export interface SuccessorEvents {
  onWord(word: Exclude<SuccessorWord, { readonly kind: "published" }>): void;
  /** It is gone. */
  onLost(): void;
}

const publishedWithinMs = 15_000;

/** The holder that takes the place of this one. */
export class Successor {
  readonly #link: ToSuccessor;
  readonly #child: ChildProcess;
  readonly #published: PromiseWithResolvers<void> = Promise.withResolvers();
  isPublished = false;

  /** Starts it as a child: so there is a channel on which sockets and connections can go. */
  constructor(address: string, { edition, main, nodeArgs }: HolderStart, events: SuccessorEvents) {
    const child = spawn(process.execPath, [...nodeArgs, main, address, edition, "succeed"], { cwd: "/", detached: true, stdio: ["ignore", "inherit", "inherit", "ipc"] });
    this.#child = child;
    child.on("error", (error) => this.#published.reject(error));
    this.#published.promise.catch(() => undefined);
    this.#link = openLink(child);
    this.#link.listen((word) => {
      if (word.kind === "published") this.#published.resolve();
      else events.onWord(word);
    });
    void this.#link.lost.then(() => {
      this.#published.reject(new Error("it ended before it had taken over"));
      events.onLost();
    });
  }

  say(word: ElderWord, carried?: unknown): Promise<boolean> {
    return this.#link.say(word, carried);
  }

  /** Passes everything on, and waits until the supervisor would find it. @throws Error with the reason */
  async inherit({ sockets, children }: Heritage): Promise<void> {
    for (const { owner, name, isShared, socket } of sockets) void this.say({ kind: "socket", owner, name, isShared }, socket);
    for (const facts of children) void this.say({ kind: "child", facts });
    void this.say({ kind: "all" });
    const timer = setTimeout(() => this.#published.reject(new Error(`it had not taken over after ${publishedWithinMs / 1000} s`)), publishedWithinMs);
    try {
      await this.#published.promise;
    } catch (error) {
      // Or it would publish itself later.
      this.#child.kill("SIGKILL");
      throw error;
    } finally {
      clearTimeout(timer);
    }
    this.isPublished = true;
  }
}
